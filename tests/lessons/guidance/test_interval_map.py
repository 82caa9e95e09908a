"""The map of guidance on intervals: its cells, the page that computes and cancels it."""

import math

import numpy as np
import pytest
import torch

from fmviz.app import measured
from fmviz.app.catalogue import translate
from fmviz.app.choices import State
from fmviz.app.state import STATE
from fmviz.charts.cells import best_cell
from fmviz.lessons.guidance.charts.interval_map import interval_map
from fmviz.lessons.guidance.compute import interval
from fmviz.lessons.guidance.compute.interval import TIMES, IntervalPlan
from fmviz.lessons.guidance.settings import Settings
from fmviz.scene import Scene, scenes
from fmviz.tasks import runner as task_runner
from fmviz.theory.guidance import Guidance
from fmviz.theory.metrics import sliced_wasserstein
from fmviz.theory.solvers import solve_ode
from tests.app.test_app import open_app

SCENE = Scene(data="three_modes", count=40)


def test_cells_are_end_points_of_guidance_on_their_interval():
    path, plan = scenes.path(SCENE), IntervalPlan(1, 3.0)
    assert len(plan.pairs) == 15
    x0 = path.p_init.sample(interval.COUNT, generator=torch.Generator().manual_seed(interval.SEED))
    target = path.p_data.given(1).sample(interval.COUNT, generator=torch.Generator().manual_seed(interval.SEED + 1))
    for low, high in ((0, 5), (2, 4)):
        guided = Guidance(path, 1, 3.0, (TIMES[low], TIMES[high]))
        ends = solve_ode(guided.velocity, x0, interval.STEPS)[0][-1]
        wanted = float(sliced_wasserstein(ends, target, directions=interval.DIRECTIONS))
        assert interval.cell(path, plan, low, high) == pytest.approx(wanted, rel=0.02)
    late = interval.cell(path, plan, 4, 5)
    assert late < 0.3 * interval.cell(path, plan, 0, 5)  # late guidance does less harm
    assert interval.floor(path, 1) < 2 * late


def test_the_best_cell_is_framed_and_holes_stay_empty():
    values = np.full((3, 3), np.nan, np.float32)
    assert best_cell(values) is None
    values[1, 0], values[2, 0], values[2, 1] = 0.4, math.inf, 0.05
    assert best_cell(values) == (2, 1)
    figure = interval_map(values, (0.0, 0.5, 1.0), 0.04, "dark", x="a", y="b")
    (frame,) = figure.layout.shapes
    assert (frame.x0, frame.y0) == (0.5, 1.5)
    assert list(figure.data[0].text[2]) == ["∞", "0.05", ""]


@pytest.fixture
def held(monkeypatch):
    """Calls come to nothing until as many as are allowed have been carried out here."""
    waiting, runner = [], task_runner.Runner(0)
    monkeypatch.setattr(task_runner, "_compute_here", waiting.append)
    monkeypatch.setattr(measured, "runner", lambda: runner)

    def let(calls: int) -> None:
        for task in waiting[:calls]:
            task.end("done", result=task.function(*task.arguments))
        del waiting[:calls]

    return let


def opened(scale: float):
    app = open_app("start", State(scene=SCENE, guidance=Settings(label=1, scale=scale)))
    app.session_state["guidance_interval_map"] = True
    app.switch_page("pages/guidance.py").run()
    assert not app.exception
    return app


def button(app) -> str:
    label = app.button(key="guidance_map_button").label
    return next(what for what in ("start", "again", "cancel") if label == translate("en", f"guidance.map.{what}"))


def test_the_map_grows_is_cancelled_and_belongs_to_its_scale(held):
    app = opened(2.5)
    held(20)  # what else the page measures
    assert button(app) == "start"
    app.button(key="guidance_map_button").click().run()
    assert button(app) == "cancel"
    held(3)  # the floor and two intervals
    app.run()
    assert translate("en", "guidance.map.running", done=2, all=15) in [p.proto.text for p in app.get("progress")]
    assert app.get("plotly_chart")
    app.button(key="guidance_map_button").click().run()
    assert button(app) == "again"
    ended = translate("en", "guidance.map.ended", done=2, all=15)
    assert ended in [caption.value for caption in app.caption]
    app.button(key="guidance_plain").click().run()
    assert button(app) == "start"
    assert not app.get("plotly_chart")
    assert not app.exception


def test_a_whole_map_offers_its_best_interval():
    app = opened(2.0)
    app.button(key="guidance_map_button").click().run()
    app.run()
    assert button(app) == "again"
    app.button(key="guidance_map_take").click().run()
    low, high = app.session_state[STATE].guidance.interval
    path, plan = scenes.path(SCENE), IntervalPlan(1, 2.0)
    best = min(plan.pairs, key=lambda place: interval.cell(path, plan, *place))
    assert (low, high) == (TIMES[best[0]], TIMES[best[1]])
    assert not app.exception
