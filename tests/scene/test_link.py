"""The link carries the whole state, and survives a stranger."""

import string

import numpy as np
import pytest

from fmviz.app.choices import State, decode, encode
from fmviz.lessons.paths.settings import Settings as PathsSettings
from fmviz.lessons.sample.settings import FIELDS, GRIDS
from fmviz.lessons.sample.settings import Settings as SampleSettings
from fmviz.lessons.train.settings import (
    ACTIVATIONS,
    DEVICES,
    OBJECTIVES,
    OPTIMIZERS,
    SCHEDULES,
    T_SAMPLINGS,
    TIME_FEATURES,
    WEIGHTS,
)
from fmviz.lessons.train.settings import Settings as TrainSettings
from fmviz.scene import Clock, Component, PathView, Scene, Shell
from fmviz.scene.components import MAX_COMPONENTS
from fmviz.scene.link import MAX_LENGTH, cleaned
from fmviz.scene.scene import INITS, PRESETS, SCHEDULERS, SIGMAS
from fmviz.scene.views import LAYERS, METHODS


def random_component(rng: np.random.Generator) -> Component:
    factor = rng.normal(size=(2, 2))
    cov = factor @ factor.T + 0.1 * np.eye(2)
    x, y = rng.uniform(-5, 5, 2)
    return Component(weight=rng.uniform(0.1, 3), x=x, y=y, xx=cov[0, 0], xy=cov[0, 1], yy=cov[1, 1])


def random_state(seed: int) -> State:
    rng = np.random.default_rng(seed)

    def mixture() -> tuple[Component, ...] | None:
        return tuple(random_component(rng) for _ in range(rng.integers(1, 9))) if rng.random() < 0.5 else None

    return State(
        shell=Shell(language=rng.choice(["en", "zh"]), present=bool(rng.random() < 0.5)),
        scene=Scene(
            data=rng.choice(PRESETS),
            data_components=mixture(),
            init=rng.choice(INITS),
            init_components=mixture(),
            scheduler=rng.choice(SCHEDULERS),
            exponent=rng.uniform(1, 6),
            alpha="sin(pi*t/2)",
            beta="cos(pi*t/2)",
            sigma=rng.choice(SIGMAS),
            amplitude=rng.uniform(0, 5),
            count=int(rng.integers(10, 2001)),
            seed_noise=int(rng.integers(0, 1_000_000)),
        ),
        clock=Clock(t=rng.uniform(), density=rng.choice(["linear", "sqrt", "log"]), per_frame=bool(rng.random() < 0.5)),
        path=PathView(
            z=(rng.uniform(-5, 5), rng.uniform(-5, 5)), layers=tuple(name for name in LAYERS if rng.random() < 0.5)
        ),
        paths=PathsSettings(
            click=(rng.uniform(-5, 5), rng.uniform(-5, 5), rng.uniform()),
            axis=rng.choice(["x", "y"]),
        ),
        sample=SampleSettings(
            field=rng.choice(FIELDS),
            method=rng.choice(METHODS),
            steps=int(rng.integers(1, 201)),
            sde_steps=int(rng.integers(1, 1001)),
            grid=rng.choice(GRIDS),
            layers=tuple(name for name in LAYERS if rng.random() < 0.5),
            click=(rng.uniform(-5, 5), rng.uniform(-5, 5), rng.uniform()) if rng.random() < 0.5 else None,
        ),
        train=TrainSettings(
            objective=rng.choice(OBJECTIVES),
            width=int(rng.integers(1, 513)),
            depth=int(rng.integers(1, 9)),
            activation=rng.choice(ACTIVATIONS),
            time_features=rng.choice(TIME_FEATURES),
            scaling=rng.choice(["path", "none"]),
            batch_size=int(rng.integers(1, 16385)),
            learning_rate=10 ** rng.uniform(-6, 3),
            steps=int(rng.integers(1, 200_001)),
            schedule=rng.choice(SCHEDULES),
            warm_up=rng.uniform(0, 0.9),
            optimizer=rng.choice(OPTIMIZERS),
            ema=rng.choice([0.0, 0.995, rng.uniform(0, 0.99)]),
            weights=rng.choice(WEIGHTS),
            t_sampling=rng.choice(T_SAMPLINGS),
            score_weighting=rng.choice(["beta_squared", "plain"]),
            gradient_clip=rng.uniform(0.1, 10) if rng.random() < 0.5 else None,
            device=rng.choice(DEVICES),
            replay=int(rng.integers(0, 1000)) if rng.random() < 0.5 else None,
            draw=int(rng.integers(0, 1000)),
            layers=tuple(name for name in LAYERS if rng.random() < 0.5),
        ),
    )


@pytest.mark.parametrize("seed", range(40))
def test_round_trip_is_exact(seed):
    state = random_state(seed)
    decoded, problems = decode(encode(state))
    assert problems == ()
    assert decoded == state
    assert encode(decoded) == encode(state)


def test_defaults_make_an_empty_link():
    assert encode(State()) == {}
    assert decode({}) == (State(), ())


@pytest.mark.parametrize(
    ("query", "ema"),
    [
        ({}, 0.995),
        ({"lang": "zh", "present": "1"}, 0.995),
        ({"lang": "zh", "beat": "paths.2"}, 0.995),
        ({"foo": "1"}, 0.995),
        ({"data": "moons"}, 0.0),
        ({"t": "0.5"}, 0.0),
        ({"obj": "noise", "train": "400"}, 0.0),
        ({"data": "moons", "ema": "0.99"}, 0.99),
        ({"data": "moons", "ema": "0.995"}, 0.995),
        ({"data": "moons", "ema": "nonsense"}, 0.0),
        ({"ema": "0"}, 0.0),
        ({"a": "data%3Dmoons"}, 0.0),
    ],
    ids=str,
)
def test_a_link_from_before_averaging_was_the_default_means_what_it_meant(query, ema):
    """It leaves out the default of then, 0; a link that names nothing is the page as it is today."""
    assert decode(query)[0].train.ema == ema


@pytest.mark.parametrize("ema", [0.0, 0.9, 0.995])
@pytest.mark.parametrize("other", [{}, {"shell": Shell(language="zh")}, {"clock": Clock(t=0.5)}], ids=str)
def test_a_field_whose_default_has_changed_survives_the_link_whatever_else_it_names(ema, other):
    state = State(train=TrainSettings(ema=ema), **other)
    assert decode(encode(state)) == (state, ())
    named = "clock" in other
    assert ("ema" in encode(state)) is (ema != (0.0 if named else 0.995))


def test_no_two_fields_share_a_name():
    names = [f.alias for part in State.model_fields.values() for f in part.annotation.model_fields.values()]
    assert len(names) == len(set(names))


def test_a_changed_default_is_written():
    state = State(path=PathView(layers=()))
    assert decode(encode(state))[0].path.layers == ()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("data", "nope"),
        ("data", "<script>alert(1)</script>"),
        ("sched", "__import__('os')"),
        ("amp", "nan"),
        ("amp", "inf"),
        ("amp", "1e9"),
        ("amp", ""),
        ("n", "1.5e99"),
        ("n", "-3"),
        ("exp", "0.2"),
        ("t", "2"),
        ("t", "nan"),
        ("z", "1"),
        ("z", "1_2_3"),
        ("z", "a_b"),
        ("z", "1e9_0"),
        ("at", "1_2_9"),
        ("layers", "density.nonsense"),
        ("layers", ".".join(["density"] * 50)),
        ("mix", "1_2_3"),
        ("mix", ""),
        ("mix", "1_0_0_1_5_1"),
        ("mix", "0_0_0_1_0_1"),
        ("mix", "inf_0_0_1_0_1"),
        ("mix", "1_0_0_1_0_1~" * 100),
        ("mix", "~".join(["1_0_0_1_0_1"] * (MAX_COMPONENTS + 1))),
        ("alpha", "t" * 201),
        ("present", "maybe"),
        ("lang", "fr"),
        ("sd", "99999999999999999999"),
        ("solver", "dopri5"),
        ("steps", "0"),
        ("steps", "201"),
        ("sdesteps", "1e9"),
        ("grid", "spiral"),
        ("field", "none"),
        ("sat", "1_2_9"),
        ("slayers", "density.nonsense"),
        ("foo", "bar"),
        ("obj", "gan"),
        ("width", "0"),
        ("width", "1e9"),
        ("depth", "9"),
        ("lr", "nan"),
        ("lr", "0"),
        ("lr", "1e9"),
        ("train", "0"),
        ("ema", "1"),
        ("clip", "-1"),
        ("clip", "none"),
        ("device", "toaster"),
        ("replay", "-1"),
        ("tlayers", "density.nonsense"),
    ],
)
def test_nonsense_is_named_and_replaced_by_the_default(name, value):
    state, problems = decode({name: value, "data": "moons"} if name != "data" else {name: value})
    assert problems == (name,)
    assert state.scene.data == ("moons" if name != "data" else "ring8")
    assert encode(state) == ({"data": "moons"} if name != "data" else {})


def test_an_over_long_link_is_not_read():
    state, problems = decode({"mix": "1" * (MAX_LENGTH + 1)})
    assert state == State()
    assert problems == ("mix",)


def test_random_bytes_never_raise():
    rng = np.random.default_rng(0)
    names = [
        "data",
        "mix",
        "init",
        "initmix",
        "sched",
        "exp",
        "alpha",
        "beta",
        "sigma",
        "amp",
        "n",
        "sd",
        "t",
        "z",
        "layers",
        "at",
        "axis",
    ]
    for _ in range(300):
        query = {rng.choice(names): "".join(rng.choice(list(string.printable), rng.integers(0, 40))) for _ in range(4)}
        state, problems = decode(query)
        assert set(problems) <= {" ".join(name.split())[:40] for name in query}
        again, _ = decode(encode(state))  # a formula of nonsense may lose its last characters once
        assert decode(encode(again)) == (again, ())


def test_components_are_rounded_when_made():
    component = Component(weight=1 / 3, x=2 / 3, y=-1 / 7, xx=0.5, xy=0.1, yy=0.4)
    assert component.row() == (0.3333, 0.6667, -0.1429, 0.5, 0.1, 0.4)
    assert Component.from_row(component.row()) == component


def test_a_flat_covariance_is_refused():
    with pytest.raises(ValueError, match="positive definite"):
        Component(x=0, y=0, xx=1, xy=1, yy=1)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"data": "moons", "utm_source": "x", "UTM_Medium": "y", "fbclid": "1", "gclid": "2"}, {"data": "moons"}),
        ({"data": "moons", "amp;n": "50", "amp;amp;t": "0.5"}, {"data": "moons", "n": "50", "t": "0.5"}),
        ({"n": "50", "data": "moons)."}, {"n": "50", "data": "moons"}),
        ({"n": "50", "data": "moons”。"}, {"n": "50", "data": "moons"}),
        ({"t": "0.5,"}, {"t": "0.5"}),
        ({"sched": "custom", "alpha": "t", "beta": "(1-t)"}, {"sched": "custom", "alpha": "t", "beta": "(1-t)"}),
        (
            {"sched": "custom", "alpha": "t", "beta": "cos(pi*t/2))"},
            {"sched": "custom", "alpha": "t", "beta": "cos(pi*t/2)"},
        ),
        ({"data": "moons.", "n": "50"}, {"data": "moons.", "n": "50"}),
        ({}, {}),
        ({"utm_source": "x"}, {}),
    ],
)
def test_what_other_programs_add_to_a_link_is_taken_off(query, expected):
    assert cleaned(query) == expected


def test_a_link_from_a_chat_program_opens_without_a_word():
    state, problems = decode({"utm_campaign": "course", "data": "moons", "amp;t": "0.25)."})
    assert problems == ()
    assert (state.scene.data, state.clock.t) == ("moons", 0.25)


def test_names_are_few_short_and_on_one_line():
    _, problems = decode({f"{n}\n\n{'x' * 100}": "1" for n in range(9)})
    assert len(problems) == 5
    assert all(len(name) == 40 and "\n" not in name for name in problems)
