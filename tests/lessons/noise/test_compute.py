"""The clips of the page Noise show what was simulated, and its numbers are those of the theory (T6 to T11)."""

import math
import operator

import numpy as np
import pytest
import torch

from fmviz.clips.clip import Clip, LawDensity, Lines, Markers, Particles
from fmviz.clips.extents import extent
from fmviz.clips.laws import rows_of
from fmviz.clips.paths import Starts
from fmviz.errors import ParameterError
from fmviz.lessons.noise.compute import clips, evidence, runs
from fmviz.lessons.noise.settings import EM_STEPS, GRIDS, SHOWN
from fmviz.scene import Component, Scene, scenes
from fmviz.stage.payload import check, layer_names
from fmviz.theory import GaussianMixture
from fmviz.theory.expressions import Tree
from fmviz.theory.processes import Langevin, OrnsteinUhlenbeck
from fmviz.theory.solvers import solve_sde

STARTS = Starts(60, 1, 2)
OU = OrnsteinUhlenbeck(1.0, 1.0)
TWO = scenes.mixture(Scene(data="two_modes"), "data")


def langevin(kind: str = "gaussian", sigma: float = 1.0, time: float = 5.0, steps: int = 200, p: GaussianMixture = TWO):
    dynamics = Langevin(p, sigma)
    x0 = runs.langevin_starts(kind, p, STARTS)
    return dynamics, runs.langevin_run(dynamics, x0, time, steps, STARTS.noise())


def every_clip() -> dict[str, Clip]:
    scene = Scene(data="two_modes")
    dynamics, run = langevin()
    return {
        "brownian": clips.brownian_clip(STARTS, 16),
        "ou": clips.ou_clip(OU, (2.0, 1.0), 4.0, 10, STARTS),
        "ou without noise": clips.ou_clip(OrnsteinUhlenbeck(1.0, 0.0), (2.0, 1.0), 4.0, 120, STARTS),
        "collapse": clips.collapse_clip(OU, 2.0, 4.0, STARTS),
        "langevin": clips.langevin_clip(dynamics, run, extent(scene), STARTS),
    }


def layers(clip: Clip, kind: type, name: str, panel: int = 0):
    return [layer for layer in clip.panels[panel].layers if isinstance(layer, kind) and layer.name == name]


def test_every_clip_can_be_played_and_shows_something_at_first():
    for name, clip in every_clip().items():
        check(clip)
        assert set(layer_names(clip)) & set(SHOWN), name


@pytest.mark.parametrize("steps", GRIDS)
def test_brownian_paths_keep_their_points_on_every_grid(steps):
    shown, finest = (layers(clips.brownian_clip(STARTS, n), Particles, "walks")[0].positions for n in (steps, 128))
    stride = 128 // steps
    np.testing.assert_allclose(shown[::stride, :, 1], finest[::stride, :, 1], atol=1e-6)
    np.testing.assert_allclose(shown[:, 0, 0], np.linspace(0, 1, 129), atol=1e-6)
    middle = shown[: stride + 1, :, 1]  # a chord between two points of the grid
    np.testing.assert_allclose(middle, np.linspace(middle[0], middle[-1], stride + 1), atol=1e-5)


def value_of(tree: Tree, t: float) -> float:
    """What a formula that travels as plain data is at t."""
    if not isinstance(tree, tuple):
        return t if tree == "t" else float(tree)
    name, *parts = tree
    numbers = [value_of(part, t) for part in parts]
    known = {"+": operator.add, "-": operator.sub, "*": operator.mul, "exp": math.exp, "sqrt": math.sqrt}
    return float(known[name](*numbers))


@pytest.mark.parametrize("sigma", [0.0, 1.0])
def test_the_background_is_the_distribution_of_the_particles(sigma):
    """The Gaussian that the player draws has the mean and the variance of T9 at every frame."""
    process = OrnsteinUhlenbeck(2.0, sigma)
    clip = clips.ou_clip(process, (2.0, -1.0), 4.0, 10, STARTS)
    (ground,) = layers(clip, LawDensity, "density", 1)
    assert ground.of == "conditional"
    assert (clip.law.z, clip.law.z_name) == ((2.0, -1.0), "plane_start")
    (factor, _), (deviation, _) = clip.law.schedule.curves
    for t in map(float, clip.times):
        assert value_of(factor, t) == pytest.approx(math.exp(-2 * t))
        assert value_of(deviation, t) ** 2 == pytest.approx(float(process.variance(torch.tensor(t))), abs=1e-6)


def test_the_background_of_brownian_motion_has_the_variance_t():
    clip = clips.brownian_clip(STARTS, 16)
    (factor, _), (deviation, _) = clip.law.schedule.curves
    assert [value_of(factor, t) for t in (0.0, 0.5)] == [1.0, 1.0]
    assert value_of(deviation, 0.49) == pytest.approx(0.7)
    assert clip.law.z == (0.0, 0.0)


def test_the_background_of_langevin_dynamics_does_not_change():
    clip = every_clip()["langevin"]
    (factor, _), (deviation, _) = clip.law.schedule.curves
    assert [value_of(tree, t) for tree in (factor, deviation) for t in (0.0, 2.0)] == [1.0, 1.0, 0.0, 0.0]
    np.testing.assert_array_equal(clip.law.data, rows_of(langevin()[0].p))


@pytest.mark.parametrize("steps", EM_STEPS)
def test_euler_maruyama_runs_on_the_noise_of_the_path_beside_it(steps):
    clip = clips.ou_clip(OU, (2.0, 1.0), 4.0, steps, STARTS)
    exact, solved = layers(clip, Lines, "steps")
    gap = max(abs(a[-1, 1] - b[-1, 1]) for a, b in zip(exact.points, solved.points, strict=True))
    assert {len(line) for line in solved.points} == {steps + 1}
    assert solved.dots
    assert gap < 3.0 * 4.0 / steps  # order 1: below a constant times the step


def test_without_noise_all_particles_follow_the_ode():
    clip = every_clip()["ou without noise"]
    (cloud,) = layers(clip, Particles, "walks", 1)
    expected = np.exp(-clip.times)[:, None] * np.array([2.0, 1.0])
    np.testing.assert_allclose(cloud.positions, np.broadcast_to(expected[:, None], cloud.positions.shape), atol=1e-6)


def test_the_collapse_is_one_path_at_three_paces():
    clip = every_clip()["collapse"]
    (line,) = layers(clip, Lines, "walks", 1)
    marks = layers(clip, Markers, "walks", 1)
    assert len(marks) == 3
    for ratio, mark in zip(runs.PACES, marks, strict=True):
        np.testing.assert_allclose(mark.positions[:, 0, 0], ratio * clip.times, rtol=1e-5)
        on_line = np.interp(mark.positions[:, 0, 0], line.points[0][:, 0], line.points[0][:, 1])
        np.testing.assert_allclose(mark.positions[:, 0, 1], on_line, atol=1e-3)
    over_time = layers(clip, Markers, "walks", 0)
    np.testing.assert_array_equal(over_time[1].positions[..., 1], marks[1].positions[..., 1])
    with pytest.raises(ParameterError, match="sigma"):
        clips.collapse_clip(OrnsteinUhlenbeck(1.0, 0.0), 2.0, 4.0, STARTS)


def test_langevin_takes_exactly_the_steps_that_were_asked_for():
    dynamics, run = langevin("data", steps=40)
    x0 = runs.langevin_starts("data", TWO, STARTS)
    times = [5.0 * i / 40 for i in range(41)]
    wanted = solve_sde(dynamics.drift, dynamics.diffusion, x0, generator=STARTS.noise(), times=times)[0]
    torch.testing.assert_close(run.positions[::3], wanted)
    torch.testing.assert_close(run.positions[1], wanted[0] * (2 / 3) + wanted[1] / 3, rtol=1e-5, atol=1e-5)


def test_particles_start_where_they_should():
    p = scenes.mixture(
        Scene(data_components=(Component(x=-2, y=0), Component(weight=3, x=2, y=1, xx=0.2, yy=0.1))), "data"
    )
    many = Starts(4000, 1, 2)
    mode = runs.langevin_starts("mode", p, many)
    torch.testing.assert_close(mode.mean(0), torch.tensor([2.0, 1.0]), atol=0.05, rtol=0)
    torch.testing.assert_close(mode.T.cov(), torch.diag(torch.tensor([0.2, 0.1])), atol=0.02, rtol=0)
    assert float(runs.langevin_starts("gaussian", p, many).mean()) == pytest.approx(0.0, abs=0.05)
    data = runs.langevin_starts("data", p, many)
    torch.testing.assert_close(data.mean(0), p.mean, atol=0.15, rtol=0)


def test_started_from_the_data_langevin_stays_and_from_one_mode_it_does_not_leave():
    """The mixing chart: shares stay at the weights, or stay where the particles are, if the modes are far apart."""
    far = scenes.mixture(
        Scene(data_components=(Component(x=-4, y=0, xx=0.1, yy=0.1), Component(x=4, y=0, xx=0.1, yy=0.1))), "data"
    )
    for kind, expected in (("data", 0.5), ("mode", 1.0)):
        _, run = langevin(kind, time=10.0, steps=1000, p=far)
        found = evidence.mode_shares(far, run)
        np.testing.assert_allclose(found.weights, [0.5, 0.5], atol=1e-6)
        np.testing.assert_allclose(found.shares.sum(1), 1.0, atol=1e-5)
        assert found.shares[-1].max() == pytest.approx(expected, abs=0.15)
        np.testing.assert_allclose(found.shares[-1], found.shares[0], atol=1e-4)


def test_particles_that_fly_apart_belong_to_no_mode_and_are_infinitely_far():
    dynamics, run = langevin(sigma=3.0, time=200.0, steps=20)
    assert dynamics.max_stable_step < 200.0 / 20
    assert not run.positions[-1].isfinite().all()
    assert evidence.mode_shares(TWO, run).shares[-1].sum() < 1.0
    assert evidence.distance_over_time(TWO, run).distance[-1] == math.inf
    check(clips.langevin_clip(dynamics, run, extent(Scene()), STARTS))


def test_moments_lie_in_their_monte_carlo_band():
    """Two standard errors hold nineteen times in twenty; five hold always."""
    starts = Starts(500, 0, 0)
    mean, variance = evidence.ou_moments(OU, (2.0, 1.0), 4.0, starts)
    for found in (evidence.brownian_variance(starts), mean, variance):
        gap = np.abs(found.measured - found.exact)
        assert (gap <= 2.5 * found.error + 1e-6).all()
        assert (gap <= found.error + 1e-6).mean() > 0.5
    np.testing.assert_allclose(variance.exact, 0.5 * (1 - np.exp(-2 * variance.times)), atol=1e-6)


def test_increments_are_normal_on_every_grid():
    for steps in (2, 16, 128):
        found = evidence.increments(Starts(500, 0, 0), steps)
        assert found.count == 1000 * steps
        width = found.centres[1] - found.centres[0]
        assert found.normal.sum() * width == pytest.approx(math.erf(evidence.EDGE / math.sqrt(2)), abs=1e-5)
        assert (np.abs(found.density - found.normal) <= 2.5 * found.error).all()


def test_residuals_vanish_and_the_length_of_brownian_paths_grows():
    same = evidence.identities(TWO, OrnsteinUhlenbeck(1.7, 0.6))
    assert same.ode == 0.0
    assert same.langevin < 1e-12
    assert same.collapse < 1e-10
    assert math.isnan(evidence.identities(TWO, OrnsteinUhlenbeck(1.0, 0.0)).langevin)
    rows = evidence.variation(Starts(500, 0, 0))
    for row in rows:
        assert row.quadratic == pytest.approx(1.0, abs=2.5 * row.quadratic_error)
        assert row.length == pytest.approx(row.length_exact, rel=0.03)
    assert rows[-1].length > 5 * rows[0].length


def test_rows_of_check_it_hold_within_their_errors():
    for row in evidence.ou_rows(OrnsteinUhlenbeck(0.7, 1.3), 2.0, 0):
        assert row.mean == pytest.approx(row.mean_exact, abs=2.5 * row.mean_error)
        assert row.variance == pytest.approx(row.variance_exact, abs=2.5 * row.variance_error)
    assert row.variance_exact == pytest.approx(1.3**2 / 1.4)
    assert row.mean_exact == pytest.approx(0.0, abs=1e-4)


def test_orders_shown_on_the_page_are_those_of_the_theory():
    additive, multiplicative = evidence.orders(0)
    for order in (additive.strong_order, additive.weak_order, multiplicative.strong_order, multiplicative.weak_order):
        assert order.measured == pytest.approx(order.expected, abs=0.15)


def test_two_modes_at_moderate_separation_are_reached_within_twice_the_floor():
    """Issue 4, criterion 3, as "Check it" shows it, the preset's modes drawn together until particles can cross.

    From the standard Gaussian the preset itself is reached too, since the two modes lie alike; from one of them it is not.
    """
    near = scenes.mixture(
        Scene(data_components=tuple(Component(x=x, y=0, xx=0.25, yy=0.25) for x in (-1.1, 1.1))), "data"
    )
    for p, start in ((near, "gaussian"), (near, "mode"), (TWO, "gaussian")):
        found = evidence.long_run(p, start)
        assert found.distance < 2 * found.floor
    stuck = evidence.long_run(TWO, "mode")
    assert stuck.distance > 50 * stuck.floor
