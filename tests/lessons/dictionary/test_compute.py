"""The arrays of the page Dictionary: one path in two dialects, curves and errors against independent values."""

import itertools

import numpy as np
import pytest
import torch

from fmviz.lessons.dictionary.compute import clocks, curves
from fmviz.lessons.dictionary.compute.frames import (
    dialect_of,
    frames_of,
    linear_path,
    on_frames,
    pair_of_frames,
    trajectories,
)
from fmviz.lessons.dictionary.settings import DIALECTS
from fmviz.scene import Scene, scenes
from fmviz.theory.dialect_path import DialectPath
from fmviz.theory.solvers import solve_ode

SCENE = Scene(count=50, data="two_modes")
DATA = scenes.mixture(SCENE, "data")


def named(name):
    return dialect_of(name, "linear", 3.0)


@pytest.mark.parametrize(("a", "b"), itertools.permutations(("ddpm", "edm", "flow_matching"), 2))
def test_lined_up_and_in_one_scale_both_pictures_are_the_same(a, b):
    """T56, in the arrays that are drawn; from where both conventions reach."""
    first, second = pair_of_frames(named(a), named(b), aligned=True)
    reached = (first.log_snr - second.log_snr).abs() < 1e-9
    assert int(reached.sum()) > 20
    extent = clocks.extent_of(DATA, first, common=True)
    panels = [
        clocks.panel(side, linear_path(SCENE), trajectories(SCENE), frames, extent, common=True)
        for side, frames in (("a", first), ("b", second))
    ]
    one, other = (panel.layers for panel in panels)
    assert np.allclose(one[1].positions[reached], other[1].positions[reached], atol=1e-5)
    assert np.allclose(one[0].log_values[reached], other[0].log_values[reached], atol=1e-3)


@pytest.mark.parametrize("name", DIALECTS)
def test_densities_are_those_of_the_dialects_own_law(name):
    frames = frames_of(named(name), 7)
    extent = clocks.extent_of(DATA, frames, common=False)
    panel = clocks.panel("a", linear_path(SCENE), trajectories(SCENE), frames, extent, common=False)
    cells = clocks.cell_centres(extent, clocks.CELLS).double()
    for i in (1, 3, 5):
        exact = DialectPath(DATA.to(torch.float64), frames.dialect).marginal(float(frames.times[i])).log_density(cells)
        near = exact > exact.max() - 20.0
        found = torch.from_numpy(panel.layers[0].log_values[i].reshape(-1)).double()
        assert torch.allclose(found[near], exact[near], atol=2e-3)


def test_trajectories_follow_the_dialects_own_velocity():
    """The interpolated path against Runge-Kutta on dx/ds of the VP-SDE, from frame 10 to frame 50."""
    frames = frames_of(named("vp"))
    moving = on_frames(*trajectories(SCENE), frames, common=False).double()
    path = DialectPath(DATA.to(torch.float64), frames.dialect)
    times = torch.linspace(float(frames.times[10]), float(frames.times[50]), 201, dtype=torch.float64)
    ends = solve_ode(path.velocity, moving[10], method="rk4", times=times)[0][-1]
    assert float((ends - moving[50]).norm(dim=-1).median()) < 0.01


def test_predictions_at_a_point_agree_between_dialects():
    """E[z | x] is one point whatever the dialect, and noise is what is left of x."""
    click = (0.4, -0.3, 0.45)
    found = {name: clocks.predictions_at(DATA, click, frames_of(named(name))) for name in DIALECTS}
    for name, one in found.items():
        assert one is not None
        v = named(name).evaluate(one.s)
        assert one.values["data"] == pytest.approx(found["flow_matching"].values["data"], rel=1e-6)
        left = (np.array(one.x) - float(v.alpha) * np.array(one.values["data"])) / float(v.beta)
        assert one.values["noise"] == pytest.approx(left, rel=1e-9)
    assert found["flow_matching"].s == pytest.approx(0.45)
    assert found["flow_matching"].x == pytest.approx((0.4, -0.3))


def test_a_point_outside_the_range_of_a_dialect_has_no_predictions_there():
    assert clocks.predictions_at(DATA, (0.0, 0.0, 0.0), frames_of(named("vp"))) is None
    assert clocks.predictions_at(DATA, (0.0, 0.0, 1.0), frames_of(named("flow_matching"))) is None


def test_one_percent_stays_one_percent_unconverted_and_grows_where_information_is_lost():
    frames = frames_of(named("flow_matching"))
    found = curves.converted_errors(DATA, frames, "data")
    assert np.allclose(found["data"][1:-1], 0.01, atol=1e-7)
    middle = len(frames.times) // 2
    assert np.nanmax(found["noise"][:middle]) > 10 * np.nanmin(found["noise"][middle:])
    # dz = (beta / alpha) de, relative to the root mean squares of z and of the noise
    z = DATA.sample(200_000, generator=torch.Generator().manual_seed(0))
    size = float(z.square().sum(-1).mean().sqrt())
    expected = 0.01 * float(frames.beta[20] / frames.alpha[20]) * 2**0.5 / size
    assert found["noise"][20] == pytest.approx(expected, rel=0.01)


def test_times_at_equal_ratio():
    s, t = curves.times_at_equal_ratio(named("rectified_flow"), named("flow_matching"))
    shifted = 3.0 * s / (1.0 + 2.0 * s)
    assert np.allclose(t, 1.0 - shifted, atol=1e-6)
