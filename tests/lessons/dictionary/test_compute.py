"""The arrays of the page Dictionary: one path in two dialects, curves and errors against independent values."""

import itertools
import time

import numpy as np
import pytest
import torch

from fmviz.app.choices import State
from fmviz.app.network import Learned
from fmviz.app.player import first_view
from fmviz.learning import TrainSpec, train
from fmviz.lessons.dictionary.compute import clocks, curves, forward, results, steps
from fmviz.lessons.dictionary.compute.frames import (
    dialect_of,
    frames_of,
    linear_path,
    on_frames,
    pair_of_frames,
    trajectories,
)
from fmviz.lessons.dictionary.settings import DIALECTS, Settings
from fmviz.scene import Scene, scenes
from fmviz.stage.payload import decode_header
from fmviz.theory import GaussianMixture, ProbabilityPath, schedulers
from fmviz.theory.dialect_path import DialectPath
from fmviz.theory.metrics import sliced_wasserstein
from fmviz.theory.solvers import solve_ode

SCENE = Scene(count=50, data="two_modes")
DATA = scenes.mixture(SCENE, "data")


def named(name):
    return dialect_of(name, "linear", 3.0)


@pytest.mark.parametrize(("a", "b"), itertools.permutations(("ddpm", "edm", "flow_matching"), 2))
def test_lined_up_and_in_one_scale_both_pictures_are_the_same(a, b):
    """T56, in the arrays that are drawn; from where both conventions reach."""
    first, second = pair_of_frames(named(a), named(b), aligned=True)
    reached = (first.log_snr - second.log_snr).abs() < 1e-9  # not where they are infinite
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


@pytest.mark.parametrize("name", DIALECTS)
def test_forward_process_ends_in_the_noise_of_the_dialect(name):
    dialect = named(name)
    chain = forward.grid(dialect, 20)
    out = forward.forward(chain, DATA, 4000, torch.Generator().manual_seed(0))
    v = dialect.evaluate(chain.times[-1])
    second = float(
        (DATA.weights * (DATA.means.square().sum(-1) + DATA.covariances.diagonal(dim1=1, dim2=2).sum(-1))).sum()
    )
    expected = float(v.alpha.square()) * second + 2.0 * float(v.beta.square())
    assert float(out[-1].square().sum(-1).mean()) == pytest.approx(expected, rel=0.07)


@pytest.mark.parametrize("amplitude", [0.0, 1.0, 1.7])
def test_every_way_back_ends_in_the_data(amplitude):
    """T21: any diffusion coefficient; within twice what exact samples give."""
    dialect, n = named("flow_matching"), 1000
    out = forward.forward(forward.grid(dialect, 40), DATA, n, torch.Generator().manual_seed(0))
    found = forward.back(
        forward.grid(dialect, 160), forward.exact(DATA, dialect), out[-1], amplitude, torch.Generator().manual_seed(1)
    )
    samples = [DATA.sample(n, generator=torch.Generator().manual_seed(seed)) for seed in range(2, 6)]
    floor = max(float(sliced_wasserstein(samples[0], other)) for other in samples[1:])
    assert float(sliced_wasserstein(found[-1], samples[0])) < 2.0 * floor


def test_a_network_of_another_schedule_is_asked_at_the_translated_point():
    """A stand-in for a network that is exact on the square root schedule must be exact in DDPM."""
    scheduler = schedulers.get("sqrt")
    path = ProbabilityPath(GaussianMixture.standard(), DATA, scheduler)

    class Exact:
        def posterior_mean(self, x, t):
            return path.posterior_mean(x, t)

    x = torch.randn(6, 2, generator=torch.Generator().manual_seed(0))
    found = forward.learned(Exact(), scheduler, named("ddpm"))(x, 300.0)
    assert torch.allclose(found, DialectPath(DATA, named("ddpm")).posterior_mean(x, 300.0), atol=1e-4)


def test_measured_orders(monkeypatch):
    """Slopes within a tenth of theory on a smooth schedule; fewer steps than on the page, to be quick."""
    monkeypatch.setattr(steps, "COUNTS", (32, 64, 128))
    steps.convergence.cache_clear()
    found = {row.sampler: row for row in steps.convergence(SCENE, "edm", "linear", 1.0, "karras")}
    for name, order in steps.ORDERS.items():
        assert found[name].order == pytest.approx(order, abs=0.1), name
    assert found["ddim"].errors == pytest.approx(found["euler"].errors, rel=1e-6)  # one method in EDM
    steps.convergence.cache_clear()


def test_gaps_of_the_bound(monkeypatch):
    monkeypatch.setattr(steps, "BOUND_COUNTS", (16, 32, 64))
    monkeypatch.setattr(steps, "ENTROPY_DRAWS", 20_000)
    steps.bound_gaps.cache_clear()
    found = {row.variance: row for row in steps.bound_gaps(SCENE, "flow_matching", "linear", 1.0, "karras")}
    for row in found.values():
        assert all(gap > 3.0 * error for gap, error in zip(row.gaps, row.errors, strict=True))
        assert row.gaps[0] > row.gaps[1] > row.gaps[2]
    assert all(a < b < c for a, b, c in zip(*(found[name].gaps for name in ("optimal", "large", "small")), strict=True))
    assert steps.bound_gaps(SCENE, "ve", "linear", 1.0, "karras") == ()
    steps.bound_gaps.cache_clear()


@pytest.mark.parametrize("name", DIALECTS)
def test_chains_of_twice_the_steps_are_nested_and_ddim_is_euler(name):
    for levels in ("own", "karras"):
        few, many = (steps.chain_of(named(name), n, levels) for n in (8, 16))
        assert torch.allclose(few.times, many.times[::2], rtol=1e-9)
    assert steps.euler_gap(DATA, named(name), 12) < 1e-12


@pytest.mark.parametrize(("view", "panels"), [("clocks", 2), ("forward", 2), ("steps", 4)])
def test_every_view_has_a_picture_of_its_own(view, panels):
    """Its panels, and fewer than 150 ms of one thread."""
    state = State(scene=Scene(), dictionary=Settings(view=view))
    shown = first_view(state, span=results.span(state.dictionary))
    results.payload(state, shown)
    for function in (results._clocks, results._panel, results._forward, results.ways, results._steps, trajectories):
        function.cache_clear()
    start = time.thread_time()
    header = decode_header(results.payload(state, shown))
    assert time.thread_time() - start < 0.15
    titles = [panel["title"] for panel in header["panels"]]
    assert len(titles) == panels == len(set(titles))


def test_a_network_of_the_session_has_a_way_back_of_its_own():
    """A short training on the scene's own schedule; its reversal in DDPM ends nearer to the data than the noise is."""
    scene = Scene(count=200, data="two_modes", scheduler="trig")
    path = scenes.path(scene)
    for snapshot in train(path, TrainSpec(hidden=(32, 32), batch_size=256, learning_rate=1e-2, steps=300)):
        model = snapshot.model
    network = Learned(("run", 300), 300, "trained", model, bytes)
    _, found = results.distances(scene, Settings(view="forward"), network, "en")
    (title, distance) = found[2]
    assert "300" in title
    noise = torch.randn(200, 2, generator=torch.Generator().manual_seed(0))
    assert distance < 0.5 * float(
        sliced_wasserstein(noise, DATA.sample(200, generator=torch.Generator().manual_seed(1)))
    )
