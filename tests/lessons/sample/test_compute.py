"""Samplers at work: exactly the chosen solver, drawn at frames; the samples' numbers; the error map; even noise."""

import math
import pickle
from functools import partial

import pytest
import torch

from fmviz.app.network import Learned
from fmviz.clips.clip import Clip, Lines, Particles
from fmviz.clips.extents import extent
from fmviz.clips.frames import at_frames
from fmviz.clips.laws import law_of
from fmviz.clips.paths import Grid, Starts, as_array
from fmviz.learning import LearnedModel, TrainSpec, checkpoint
from fmviz.learning.networks import MLP, Architecture
from fmviz.lessons.sample.compute import clips, error_map, results, samples
from fmviz.lessons.sample.compute.clips import Sampler
from fmviz.lessons.sample.compute.evidence import likelihood_check, orders
from fmviz.lessons.sample.compute.quasi_random import array_rqmc_euler_maruyama, sobol_sample
from fmviz.lessons.sample.settings import GRIDS
from fmviz.scene import Component, Scene, scenes
from fmviz.scene.known import same_path, scene_from_path
from fmviz.scene.views import METHODS
from fmviz.stage.payload import check
from fmviz.theory import schedulers, sigmas
from fmviz.theory.metrics import sliced_wasserstein
from fmviz.theory.solvers import solve_ode, solve_sde
from fmviz.theory.time_grids import time_grid

SCENE = Scene(count=60)
PATH = scenes.path(SCENE)
SIGMA = scenes.sigma(SCENE)
GRID = Grid(extent(SCENE), frames=31, cells=16, arrows=6)
STARTS = Starts(60, 3, 4)


def network(*, gaussian: bool = True) -> LearnedModel:
    architecture = Architecture((8, 8), "silu", "raw", (0.0, 0.0), 1.0, 1.0)
    weights = architecture.initial_weights(torch.Generator().manual_seed(0))
    return LearnedModel(MLP(architecture, weights), "velocity", schedulers.get("linear"), gaussian)


def exact_runs(how: Sampler) -> clips.Runs:
    dynamics = clips.exact_dynamics(PATH, SIGMA)
    return clips.run(dynamics, how, SIGMA, STARTS.points(PATH.p_init), STARTS.noise())


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("grid", GRIDS)
def test_the_sampler_is_the_chosen_solver_and_no_other(method, grid):
    runs = exact_runs(Sampler(method, 7, 300, grid))
    x0 = STARTS.points(PATH.p_init)
    ode, _ = solve_ode(PATH.marginal_velocity, x0, method=method, times=time_grid(grid, 7))
    sde, _ = solve_sde(PATH.sde_drift(SIGMA), SIGMA, x0, generator=STARTS.noise(), times=time_grid(grid, 300))
    torch.testing.assert_close(runs.ode, ode)
    assert runs.sde is not None
    torch.testing.assert_close(runs.sde, sde)
    assert len(runs.ode_times) == 8
    assert len(runs.sde_times) == 301


def test_frames_lie_on_the_chords_between_steps():
    runs = exact_runs(Sampler("heun", 5))
    frames = torch.linspace(0, 1, 31)
    shown = at_frames(runs.ode, runs.ode_times, frames)
    torch.testing.assert_close(shown[::6], runs.ode)
    torch.testing.assert_close(shown[3], (runs.ode[0] + runs.ode[1]) / 2)
    torch.testing.assert_close(shown[8], runs.ode[1] * (4 / 6) + runs.ode[2] * (2 / 6))


def test_lost_particles_are_not_drawn():
    gone = torch.tensor([[[0.0, 0.0]], [[torch.inf, 1.0]]])
    shown = at_frames(gone, [0.0, 1.0], torch.linspace(0, 1, 3))
    assert shown[0].isfinite().all()
    assert shown[1:, 0, 0].isnan().all()


@pytest.mark.parametrize("amplitude", [0.0, 1.0, 5.0])
def test_panels_can_be_played_even_where_particles_fly_apart(amplitude):
    sigma = sigmas.get("constant", amplitude)
    below = clips.ground(PATH, GRID)
    panels = []
    for dynamics in (clips.exact_dynamics(PATH, sigma), clips.learned_dynamics(network(), sigma)):
        runs = clips.run(dynamics, Sampler("euler", 3, 400), sigma, STARTS.points(PATH.p_init), STARTS.noise())
        panels.append(clips.panel(dynamics, runs, below, GRID))
    check(Clip(as_array(GRID.times()), tuple(panels), law=law_of(PATH)))
    assert [panel.name for panel in panels] == ["exact", "learned"]
    steps = [layer for layer in panels[0].layers if isinstance(layer, Lines)]
    assert {len(line) for line in steps[0].points} == {4}
    assert len(steps[1].points) == 3 * clips.STEP_LINES


def test_a_network_without_a_score_has_no_sde():
    dynamics = clips.learned_dynamics(network(gaussian=False), SIGMA)
    runs = clips.run(dynamics, Sampler(), SIGMA, STARTS.points(PATH.p_init), STARTS.noise())
    assert runs.sde is None
    panel = clips.panel(dynamics, runs, clips.ground(PATH, GRID), GRID)
    assert {layer.name for layer in panel.layers if isinstance(layer, Particles)} == {"ode"}


def test_the_likelihood_of_a_click_approaches_the_exact_one():
    click = (0.5, 1.0, 0.6)
    dynamics = clips.exact_dynamics(PATH, SIGMA)
    exact = clips.exact_along(PATH, click)
    coarse, fine = (
        float(clips.likelihood(dynamics, PATH, how, click).value) for how in (Sampler("euler", 4), Sampler("rk4", 80))
    )
    assert abs(fine - exact.value) < 1e-4 < abs(coarse - exact.value)
    found = clips.likelihood(dynamics, PATH, Sampler("rk4", 80), click)
    panel = clips.panel(dynamics, exact_runs(Sampler()), clips.ground(PATH, GRID), GRID)
    layers = clips.likelihood_layers(dynamics, found, GRID)
    check(
        Clip(
            as_array(GRID.times()),
            (type(panel)(panel.name, "", panel.extent, (*panel.layers, *layers)),),
            law=law_of(PATH),
        )
    )


def test_occupancy_is_the_mean_responsibility_and_counts_the_lost():
    data = PATH.p_data
    points = data.sample(4000, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(torch.from_numpy(samples.occupancy(data, points)), data.weights, atol=0.03, rtol=0)
    points[:1000] = torch.nan
    assert samples.occupancy(data, points).sum() == pytest.approx(0.75, abs=1e-5)
    assert samples.diverged_count(points) == 1000
    assert samples.distances(data, points) == samples.Distances(math.inf, math.inf, math.inf)
    assert samples.occupancy(data, torch.full((5, 2), torch.nan)).sum() == 0


def test_exact_samples_are_at_the_floor_and_wrong_ones_are_not():
    data = PATH.p_data
    floor = samples.floor(data, 800)
    exact = samples.distances(data, data.sample(800, generator=torch.Generator().manual_seed(5)))
    wrong = samples.distances(data, PATH.p_init.sample(800, generator=torch.Generator().manual_seed(5)))
    assert exact.sliced < 2 * floor.sliced < wrong.sliced
    assert exact.energy < 3 * floor.energy < wrong.energy
    assert exact.negative_log_likelihood == pytest.approx(floor.negative_log_likelihood, abs=0.12)
    assert floor.negative_log_likelihood == pytest.approx(2.3707, abs=0.01)  # of 400 000 draws
    assert wrong.negative_log_likelihood > floor.negative_log_likelihood + 1


def test_the_floor_says_how_far_exact_samples_scatter():
    data = PATH.p_data
    floor = samples.floor(data, 50)
    sets = data.sample(400 * 50, generator=torch.Generator().manual_seed(6)).reshape(400, 50, 2)
    surprises = -data.log_density(sets).mean(dim=1)
    assert float(surprises.mean()) == pytest.approx(
        floor.negative_log_likelihood, abs=4 * floor.negative_log_likelihood_error / 20
    )
    assert float(surprises.std()) == pytest.approx(
        floor.negative_log_likelihood_error, rel=0.15
    )  # 4 standard errors of 400 sets
    assert samples.floor(data, 800).negative_log_likelihood_error == pytest.approx(
        floor.negative_log_likelihood_error / 4
    )


def test_the_map_shows_each_error_where_it_belongs():
    plan, model = error_map.ErrorMapSpec(amplitudes=(0.0, 3.0), steps=(4, 32), count=512), network()
    assert plan.cells == 4
    assert plan.work == 2 * 36
    places = [(row, column) for row in range(2) for column in range(2)]
    exact = {place: error_map.cell(PATH, plan, *place) for place in places}
    assert exact[0, 1] < exact[0, 0] < exact[1, 0]  # more steps help, more noise needs more
    assert exact[0, 1] < error_map.noise_floor(PATH, plan)
    assert all(error_map.cell(PATH, plan, *place, model) > 5 * exact[0, 1] for place in places)
    assert error_map.cell(PATH, plan, 0, 1) == exact[0, 1]


def test_a_network_reaches_a_helper_process_whole():
    scene, plan = scenes.learned_part(Scene()), error_map.ErrorMapSpec(amplitudes=(1.0,), steps=(8,), count=64)
    write = partial(checkpoint.to_bytes, network(), TrainSpec(), scenes.path(scene), 7)
    sent = (results.learned_cell, (scene, plan, Learned(("run", 7), 7, "trained", network(), write), 0, 0))
    function, arguments = pickle.loads(pickle.dumps(sent))
    assert function(*arguments) == error_map.cell(scenes.path(scene), plan, 0, 0, network())


def test_evenly_spread_samples_follow_the_distribution_more_closely():
    data = PATH.p_data
    even, far = sobol_sample(data, 1024), data.sample(1024, generator=torch.Generator().manual_seed(0))
    target = data.sample(20_000, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(even.mean(0), data.mean, atol=0.02, rtol=0)
    torch.testing.assert_close(even.T.cov(), data.covariance, atol=0.05, rtol=0.02)
    assert float(sliced_wasserstein(even, target)) < float(sliced_wasserstein(far, target))


def test_evenly_spread_noise_is_brownian():
    """Ornstein-Uhlenbeck from its own stationary law stays there (T9), step for step as with drawn noise."""
    x0 = sobol_sample(PATH.p_init, 2048)
    sigma = 2**0.5
    end = array_rqmc_euler_maruyama(
        lambda x, t: -x, lambda t: sigma, x0, time_grid("uniform", 200), torch.Generator().manual_seed(0)
    )
    torch.testing.assert_close(end.mean(0), torch.zeros(2), atol=0.03, rtol=0)
    torch.testing.assert_close(end.T.cov(), torch.eye(2), atol=0.04, rtol=0)
    moved = (end * x0).mean(0)  # and it does move: Cov(X_1, X_0) = e^-1
    torch.testing.assert_close(moved, torch.full((2,), math.exp(-1)), atol=0.06, rtol=0)


def test_solvers_have_their_order():
    for row in orders(scenes.path(Scene(scheduler="trig"))):
        assert row.measured == pytest.approx(row.expected, abs=0.25), row.method
    assert likelihood_check(PATH, 0.9, n=8).largest < 1e-3


@pytest.mark.parametrize(
    "scene",
    [
        Scene(),
        Scene(data="moons", scheduler="trig", sigma="beta"),
        Scene(data="random", seed_data=4, scheduler="polynomial", exponent=2.5),
        Scene(init="ring5", data="two_modes"),
        Scene(scheduler="custom", alpha="t**2", beta="1 - t**2"),
        Scene(data_components=(Component(x=1, y=2), Component(x=-1, y=0.5, xx=0.3, xy=0.1, yy=0.2))),
        Scene(scheduler="vp"),
    ],
    ids=str,
)
def test_a_path_leads_back_to_its_scene(scene):
    found = scene_from_path(scenes.path(scene), Scene(seed_data=scene.seed_data, amplitude=2.0))
    assert found is not None
    assert found.amplitude == 2.0
    assert (found.data, found.init, found.scheduler) == (scene.data, scene.init, scene.scheduler)
    assert same_path(scenes.path(found), scenes.path(scene))
    assert not same_path(scenes.path(scene), scenes.path(Scene(data="smiley")))
