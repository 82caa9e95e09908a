"""Networks on the page Bridges: the runs that each panel needs, what they show, and training from the page."""

import pytest
import torch

from fmviz.app import runs
from fmviz.app.catalogue import translate
from fmviz.app.choices import State
from fmviz.learning import Reflow, TrainSpec, train
from fmviz.lessons.bridges.compute import evidence, fields, flows, networks, results
from fmviz.lessons.bridges.compute.fields import FEW, Side
from fmviz.lessons.bridges.compute.networks import Learned
from fmviz.lessons.bridges.compute.presets import bridged
from fmviz.lessons.bridges.settings import Settings
from fmviz.scene import Scene
from fmviz.theory.solvers import solve_ode
from tests.app.test_app import errors, full_house
from tests.lessons.bridges.test_page import header, layers, open_page, until

SMALL = bridged(Scene(count=20), "ring8_moons")


def learned(specs: tuple[TrainSpec, ...]) -> tuple[Learned, ...]:
    """All networks of a chain."""
    found: list[Learned] = []
    for number, spec in enumerate(specs):
        before = found[-1] if found else None
        *_, last = train(fields.bridge(SMALL), spec, every=spec.steps, teacher=None if before is None else before.model)
        found.append(Learned((number, last.step), last.model, before))
    return tuple(found)


def test_each_panel_has_the_runs_that_its_coupling_needs():
    (plain,) = networks.chain(Side(gamma=0.3), 200, 7)
    assert (plain.coupling, plain.gamma, plain.steps, plain.seed) == ("independent", 0.3, 200, 7)
    (exact,) = networks.chain(Side("exact", 32), 200, 7)
    assert (exact.coupling, exact.coupling_batch) == ("exact", 32)
    (entropic,) = networks.chain(Side("sinkhorn", 16, 0.5), 200, 7)
    assert (entropic.coupling, entropic.coupling_regularisation) == ("sinkhorn", 0.5)
    assert networks.chain(Side("map"), 200, 7) == ()
    first, one, two = networks.chain(Side("reflow2", gamma=0.3), 200, 7)
    assert (first.reflow, first.gamma) == (None, 0.0)
    assert [(spec.reflow.round, spec.gamma) for spec in (one, two)] == [(1, 0.3), (2, 0.3)]


@pytest.mark.parametrize(
    ("fault", "wrong"),
    [("few", {"pairs": FEW}), ("coarse", {"steps": 3, "method": "euler"}), ("reversed", {"reversed": True})],
)
def test_a_fault_is_that_of_the_simulated_pairs(fault, wrong):
    good, bad = (networks.chain(Side("reflow1", fault=of), 100, 0)[1].reflow for of in ("none", fault))
    assert {name: getattr(bad, name) for name in wrong} == wrong
    kept = {name for name in Reflow.__dataclass_fields__ if name not in wrong}
    assert all(getattr(bad, name) == getattr(good, name) for name in kept)


def test_rounds_of_networks_straighten_like_those_of_exact_fields():
    found = learned(networks.chain(Side("reflow1"), 300, 0))
    rounds = evidence.rounds_by_network(SMALL, found)
    assert rounds.straightness[1].value < rounds.straightness[0].value / 3
    assert rounds.cost[1].value < rounds.cost[0].value + 2.0 * rounds.cost[0].error
    steps = evidence.over_steps(SMALL, (Side(), Side("reflow1")), (found[0], found[1]))
    assert steps.of[1][0].value < steps.of[0][0].value / 2  # one step
    # The pairs of the second panel are those of the first network.
    taught = networks.taught(SMALL, Side("reflow1"), found[0])
    ends = solve_ode(found[0].model.velocity, torch.from_numpy(taught.starts), method="heun", steps=40)[0][-1]
    assert torch.allclose(ends, torch.from_numpy(taught.ends), atol=1e-3)
    assert networks.moved(SMALL, found[0]).cost.value == pytest.approx(taught.pair_cost.value, rel=0.4)


@pytest.mark.usefixtures("quick_evidence")
def test_noise_of_its_own_in_the_second_panel():
    view = Settings(b="independent", gamma=0.4, gamma_b=1.0)
    which = results.sides(view)
    assert [side.gamma for side in which] == [0.4, 1.0]
    assert [side.gamma for side in results.sides(Settings(gamma=0.4))] == [0.4, 0.4]
    assert results.drawn_density(which) == (False, True)
    assert results.drawn_density(results.sides(Settings(a="exact", b="independent", gamma_b=1.0))) == (False, False)
    found = flows.flow(SMALL, which[1], True)
    grid = flows.Grid(flows.extent(SMALL), cells=flows.CELLS)
    wanted = fields.bridge(SMALL, 1.0).log_density(grid.points(flows.CELLS), 0.5).reshape(flows.CELLS, flows.CELLS)
    assert torch.allclose(torch.from_numpy(found.log_density[30]), wanted, atol=1e-3)
    app = open_page(State(scene=SMALL, bridges=view))
    until(app, lambda: "density" in layers(app, 1))
    assert header(app)["law"]["gamma"] == 0.4


def names(app) -> list[str]:
    return [panel["title"] for panel in header(app)["panels"]]


@pytest.mark.usefixtures("quick_evidence")
def test_networks_are_trained_shown_and_kept():
    view = Settings(a="exact", b="reflow1", batch=8, field="network", steps=100)
    app = open_page(State(scene=SMALL, bridges=view))
    assert all("not trained yet" in name for name in names(app))
    assert "ode" not in layers(app, 0) | layers(app, 1)
    app.button(key="bridges_train").click().run()
    train_again = translate("en", "training.again")
    until(app, lambda: app.button(key="bridges_train").label == train_again)
    until(app, lambda: all("step 100" in name for name in names(app)))
    assert "Reflow" in names(app)[1]
    assert "ode" in layers(app, 0) & layers(app, 1)
    until(app, lambda: "–" not in app.table[0].value.to_string())
    assert not errors(app)
    # The same runs are there for whoever comes back.
    app.segmented_control(key="bridges.field").set_value("exact").run()
    assert not any("network" in name for name in names(app))
    app.segmented_control(key="bridges.field").set_value("network").run()
    assert app.button(key="bridges_train").label == train_again


@pytest.mark.usefixtures("quick_evidence")
def test_training_is_cancelled_and_what_was_learned_stays():
    app = open_page(State(scene=SMALL, bridges=Settings(b="reflow3", field="network", steps=20_000)))
    app.button(key="bridges_train").click().run()
    until(app, lambda: all("at step" in name for name in names(app)))
    app.button(key="bridges_train").click().run()
    assert app.button(key="bridges_train").label == translate("en", "bridges.train")
    assert [runs.pool().status(run).state for run in list(runs_of(app).values())] == ["cancelled"]
    assert any("cancelled at step" in caption.value for caption in app.caption)


def runs_of(app) -> dict:
    return app.session_state["fmviz_tab"].belongings[runs.RUNS]


@pytest.mark.usefixtures("quick_evidence")
def test_a_batch_beyond_what_a_step_may_pair_is_refused_with_the_bound_before_anyone_presses():
    app = open_page(State(scene=SMALL, bridges=Settings(batch=1024, field="network", steps=100)))
    assert "512" in errors(app)
    assert app.button(key="bridges_train").disabled
    app.select_slider(key="bridges.batch").set_value(512).run()
    assert not errors(app)
    assert not app.button(key="bridges_train").disabled


@pytest.mark.usefixtures("quick_evidence")
def test_a_full_house_is_said_and_begins_nothing(monkeypatch):
    full_house(monkeypatch)
    app = open_page(State(scene=SMALL, bridges=Settings(batch=8, field="network", steps=100)))
    app.button(key="bridges_train").click().run()
    assert translate("en", "training.full") in errors(app)
    assert app.button(key="bridges_train").label == translate("en", "bridges.train")
    app.run()
    assert translate("en", "training.full") not in errors(app)
