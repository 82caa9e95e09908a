"""What can be chosen on the page Hyperparameters: axes and values, links from outside, the cells that they stand for."""

import pytest
from pydantic import ValidationError

from fmviz.app.catalogue import translate
from fmviz.app.choices import State, decode, encode
from fmviz.errors import FmvizError
from fmviz.lessons.hyperparameters.compute.plan import plan
from fmviz.lessons.hyperparameters.settings import ALONE, AXES, BESIDE, MAX_CELLS, NAMES, Settings, canonical
from fmviz.scene import Scene


def axes(**parameters: str) -> list[tuple[str, tuple[str, ...]]]:
    state, problems = decode(parameters)
    assert problems == ()
    return [(axis.name, axis.values) for axis in state.hyperparameters.axes]


def test_a_link_says_what_varies():
    assert axes(hx="width", hxv="8_16", hy="objective", hyv="cfm_data") == [
        ("width", ("8", "16")),
        ("objective", ("cfm", "data")),
    ]
    assert axes(hx="learning_rate", hxv="1e-3_0.010", hy="none") == [("learning_rate", ("0.001", "0.01"))]
    assert axes(hx="t_sampling", hxv="uniform_logit-normal", hy="optimizer", hyv="sgd") == [
        ("t_sampling", ("uniform", "logit_normal")),
        ("optimizer", ("sgd",)),
    ]


def test_the_same_axis_twice_is_one():
    assert [name for name, _ in axes(hx="steps", hy="steps")] == ["steps"]


@pytest.mark.parametrize("first", AXES)
@pytest.mark.parametrize("second", [*AXES, "none"])
def test_proposals_of_any_two_axes_are_allowed_and_few(first, second):
    view = Settings(x=first, y=second)
    asked = plan(Scene(), view)
    assert 2 <= len(asked.cells) <= MAX_CELLS
    assert len({cell.jobs for cell in asked.cells}) == len(asked.cells)


def test_proposals_are_values_as_a_link_writes_them():
    for table in (ALONE, BESIDE):
        for axis, values in table.items():
            assert all(canonical(axis, value) == value for value in values), axis


@pytest.mark.parametrize(
    ("parameters", "refused"),
    [
        ({"hx": "device"}, "hx"),
        ({"hxv": "0.01_nan"}, "hxv"),
        ({"hxv": "inf"}, "hxv"),
        ({"hxv": "1e9"}, "hxv"),
        ({"hxv": "-1"}, "hxv"),
        ({"hxv": "__import__('os')"}, "hxv"),
        ({"hxv": ""}, "hxv"),
        ({"hxv": "0.01_0.010"}, "hxv"),
        ({"hx": "width", "hxv": "8.5"}, "hxv"),
        ({"hx": "width", "hxv": "100000"}, "hxv"),
        ({"hx": "objective", "hxv": "cfm_evil"}, "hxv"),
        ({"hx": "optimizer", "hxv": "adam_lion"}, "hxv"),
        ({"hx": "time_features", "hxv": "Fourier"}, "hxv"),
        ({"hx": "t_sampling", "hxv": "logit_normal"}, "hxv"),
        ({"hopt": "lbfgs"}, "hopt"),
        ({"htime": "1"}, "htime"),
        ({"htdraw": "logit-normal"}, "htdraw"),
        ({"hx": "seed", "hxv": "_".join(map(str, range(17)))}, "hxv"),
        ({"hyv": "16_32_64_128_256"}, "hyv"),
        ({"hy": "none", "hyv": "16"}, "hyv"),
        ({"hseeds": "100"}, "hseeds"),
        ({"hsteps": "1000000"}, "hsteps"),
        ({"hwidth": "4096"}, "hwidth"),
        ({"hguess": "0_99"}, "hguess"),
        ({"hguess": "0"}, "hguess"),
        ({"hlr": "nan"}, "hlr"),
    ],
)
def test_a_hostile_link_is_told_and_the_page_is_as_always(parameters, refused):
    state, problems = decode(parameters)
    assert problems == (refused,)
    assert len(plan(Scene(), state.hyperparameters).cells) <= MAX_CELLS


def test_a_link_repeats_what_it_was_made_from():
    view = Settings(x="ema", x_values=("0", "0.95"), y="seed", y_values=("3", "4"), guess=(1, 0), cell=(0, 1), steps=50)
    query = encode(State(hyperparameters=view))
    assert decode(query) == (State(hyperparameters=view), ())
    view = Settings(x="t_sampling", x_values=("logit_normal", "uniform"), t_sampling="logit_normal", optimizer="sgd")
    query = encode(State(hyperparameters=view))
    assert (query["hxv"], query["htdraw"]) == ("logit-normal_uniform", "logit_normal")
    assert decode(query) == (State(hyperparameters=view), ())


def test_sixteen_values_leave_room_for_one_of_the_second_axis():
    view = Settings(x="seed", x_values=tuple(map(str, range(16))), y="width")
    assert [len(axis.values) for axis in view.axes] == [16, 1]
    with pytest.raises(ValidationError):
        Settings(x="seed", x_values=tuple(map(str, range(16))), y="width", y_values=("8", "16"))


def test_cells_have_the_settings_of_their_place_and_of_the_page():
    view = Settings(
        x="width", x_values=("4", "8"), y="scheduler", y_values=("linear", "vp"), depth=2, steps=30, seeds=2
    )
    asked = plan(Scene(seed_network=7, count=33), view)
    assert [(cell.column, cell.row) for cell in asked.cells] == [(0, 0), (1, 0), (0, 1), (1, 1)]
    (scene, spec), (_, other) = asked.cells[3].jobs
    assert (scene.scheduler, spec.hidden, spec.steps, spec.seed, other.seed) == ("vp", (8, 8), 30, 7, 8)
    assert scene.count == Scene().count, "particles are nothing to a network"
    assert len(asked.jobs) == 8
    assert {job[1].seed for job in asked.jobs[:4]} == {7}, "every cell has its first seed before any has its second"
    assert asked.at((9, 9)) is None


def test_a_cell_takes_what_is_learned_of_t_and_how_from_its_axis_or_from_the_page():
    view = Settings(x="optimizer", x_values=("sgd",), y="t_sampling", y_values=("logit_normal",), time_features="raw")
    ((_, spec),) = plan(Scene(), view).jobs
    assert (spec.optimizer, spec.t_sampling, spec.time_features) == ("sgd", "logit_normal", "raw")
    ((_, plain), *_) = plan(Scene(), Settings()).jobs
    assert (plain.optimizer, plain.t_sampling, plain.time_features) == ("adam", "stratified", "fourier"), "as TrainSpec"


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_axis_and_every_named_value_has_its_words(language):
    for axis in AXES:
        keys = (f"axis.{axis}", f"noun.{axis}", *(f"value.{axis}_{value}" for value in NAMES.get(axis, ())))
        assert all(translate(language, f"hyperparameters.{key}") for key in keys)


def test_a_seed_that_is_an_axis_has_no_seeds_beside_it():
    view = Settings(x="seed", seeds=3)
    assert view.runs_of_a_cell == 1
    assert [cell.jobs[0][1].seed for cell in plan(Scene(seed_network=50), view).cells[:4]] == [0, 1, 2, 3]


def test_a_cell_that_is_too_large_for_a_shared_machine_is_refused():
    heavy = Settings(x="activation", y="none", objective="fm", width=128, depth=6, batch_size=2048)
    plan(Scene(), heavy)
    with pytest.raises(FmvizError):
        plan(Scene(data="spiral", init="spiral"), heavy)


def test_every_named_value_is_one_of_the_library():
    for axis in NAMES:
        plan(Scene(), Settings(x=axis, y="none"))
