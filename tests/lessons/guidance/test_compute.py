"""Guided particles, the tilted samples and the numbers of the page Guidance, against the library and exact draws."""

import math
from dataclasses import replace

import pytest
import torch

from fmviz.clips.clip import Clip, LawDensity, LawParticles, Particles
from fmviz.clips.laws import law_of
from fmviz.clips.paths import Starts, as_array
from fmviz.lessons.guidance.compute import clips, evidence, results, tilted
from fmviz.lessons.guidance.compute.clips import Way
from fmviz.lessons.guidance.script import guidance_script
from fmviz.lessons.guidance.settings import Settings
from fmviz.scene import Component, Scene, scenes
from fmviz.stage.payload import check
from fmviz.theory.conversions import Coefficients
from fmviz.theory.guidance import Guidance
from fmviz.theory.solvers import solve_ode

SCENE = Scene(data="three_modes", count=200)
GRID = replace(results.grid_of(SCENE), frames=31, arrows=6)
STARTS = Starts(200, 1, 2)
SIGMA = scenes.sigma(SCENE)


def guidance(scale: float = 3.0, interval: tuple[float, float] = (0.0, 1.0)) -> Guidance:
    return Guidance(scenes.path(SCENE), 1, scale, interval)


def layers(panel, kind):
    return [layer for layer in panel.layers if isinstance(layer, kind)]


def test_the_guided_particles_follow_the_guided_field():
    found = clips.run(guidance(), Way(), SIGMA, GRID, STARTS)
    x0 = STARTS.points(scenes.path(SCENE).p_init)
    wanted, _ = solve_ode(guidance().velocity, x0, times=GRID.times())
    torch.testing.assert_close(found.positions, wanted, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("scale", [-1.0, 0.0, 1.0, 3.0, 8.0])
@pytest.mark.parametrize("stochastic", [False, True])
@pytest.mark.parametrize("ground", ["tilted", "classifier"])
def test_every_choice_can_be_played(scale, stochastic, ground):
    guided, way = guidance(scale, (0.13, 0.9)), Way(stochastic, scale > 1.0)
    found = clips.run(guided, way, SIGMA, GRID, STARTS)
    middle = clips.guided_panel(guided, found, way, GRID, weighted=True, ground=ground)
    panels = (clips.conditional_panel(guided, GRID, STARTS), middle, clips.tilted_panel(guided, GRID, STARTS))
    law = law_of(guided.path, follows=True, guidance=guided)
    check(Clip(as_array(GRID.times()), panels, (), law=law))
    particles = next(layer for layer in layers(middle, Particles | LawParticles) if layer.name in ("ode", "sde"))
    assert particles.weights is not None
    assert particles.weights.mean(axis=1) == pytest.approx(1.0, abs=1e-4)
    assert bool(layers(panels[2], Particles)) == (scale >= 0.0)
    assert bool(layers(panels[2], LawDensity)) == (scale >= 0.0)


def test_particles_without_weights_are_alike_and_have_trails():
    found = clips.run(guidance(), Way(), SIGMA, GRID, STARTS)
    panel = clips.guided_panel(guidance(), found, Way(), GRID, weighted=False, ground="tilted")
    (particles,) = layers(panel, LawParticles)
    assert particles.weights is None
    assert particles.trail > 0
    assert particles.of == "guided"


@pytest.mark.parametrize(("data", "label", "scale"), [("three_modes", 1, 3.0), ("pinwheel", 2, 0.5), ("moons", 0, 8.0)])
def test_moving_samples_have_the_tilted_law(data, label, scale):
    """At t = 1 their moments are those of exact draws; on the way, those of the density on a finer grid."""
    scene = SCENE.model_copy(update={"data": data})
    guided = Guidance(scenes.path(scene), label, scale)
    extent = results.grid_of(scene).extent
    uniform = torch.rand(20_000, 2, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    moved = tilted.moving_samples(guided, extent, torch.linspace(0, 1, 61), uniform)
    assert moved.shape == (61, 20_000, 2)
    exact = guided.sample_tilted(40_000, generator=torch.Generator().manual_seed(4))
    cell = (extent.x1 - extent.x0) / tilted.CELLS
    assert torch.allclose(moved[-1].mean(0), exact.mean(0), atol=0.04)
    assert torch.allclose(moved[-1].var(0), exact.var(0) + cell**2 / 12, rtol=0.06, atol=0.01)
    density = tilted.log_grid(guided, extent, torch.tensor([0.4]), cells=200).double().exp()[0]
    middles = extent.x0 + (torch.arange(200) + 0.5) * (extent.x1 - extent.x0) / 200
    mean_x = float((density.sum(0) * middles).sum() / density.sum())
    assert float(moved[24, :, 0].mean()) == pytest.approx(mean_x, abs=0.06)


def test_the_density_has_mass_one_and_its_top_is_the_largest_value():
    guided, extent = guidance(), GRID.extent
    logs = tilted.log_grid(guided, extent, torch.tensor([0.2, 0.8]))
    cell = (extent.x1 - extent.x0) * (extent.y1 - extent.y0) / tilted.CELLS**2
    assert torch.allclose(logs.exp().sum(dim=(1, 2)) * cell, torch.ones(2), atol=1e-4)
    assert tilted.top(guided, extent, torch.linspace(0, 1, 61)) >= float(logs.max())


def test_end_points_for_many_scales_at_once_are_those_of_each():
    x0 = STARTS.points(scenes.path(SCENE).p_init)
    for interval in ((0.0, 1.0), (0.5, 1.0)):
        found = evidence.ends(guidance(1.0, interval), (0.0, 1.0, 3.0), x0, 20)
        for w, ends in zip((0.0, 1.0, 3.0), found, strict=True):
            wanted = solve_ode(guidance(w, interval).velocity, x0, 20)[0][-1]
            torch.testing.assert_close(ends, wanted, rtol=1e-4, atol=1e-4)


def test_distance_spread_and_share_over_the_scale():
    """Exact at w = 0 and 1 but for the solver; beyond, the points leave both laws and crowd together."""
    found = evidence.over_scale(scenes.path(SCENE), 1, (0.0, 1.0))
    at = dict(zip(found.scales, range(len(found.scales)), strict=True))
    assert found.conditional[at[1.0]] < 2 * found.conditional_floor
    assert found.tilted[at[0.0]] < 2 * found.tilted_floor[at[0.0]]
    assert found.tilted[at[3.0]] > 8 * found.tilted_floor[at[3.0]]
    assert found.conditional[at[3.0]] > 8 * found.conditional_floor
    assert found.outside[at[0.0]] > 0.5 > 0.05 > found.outside[at[3.0]]
    assert found.spread[at[1.0]] == pytest.approx(1.0, abs=0.08)
    assert found.spread[at[8.0]] < found.spread[at[3.0]] < found.spread[at[1.0]]
    late = evidence.over_scale(scenes.path(SCENE), 1, (0.5, 1.0))
    assert late.conditional[at[3.0]] < 0.3 * found.conditional[at[3.0]]  # what the last beat says


def test_the_posterior_along_the_way_rises_to_certainty():
    curve = evidence.posterior_along(guidance(), (0.0, 0.0, 0.2))
    assert curve.times[0] == 0.0
    assert curve.times[-1] == 1.0
    assert (curve.times[1:] > curve.times[:-1]).all()
    assert curve.values[0] == pytest.approx(0.35, abs=1e-5)  # the share of the label: at t = 0 nothing is known
    assert curve.values[-1] > 0.99
    line = clips.followed(guidance(), (0.0, 0.0, 0.2))
    here = int((line[0] - 0.2).abs().argmin())
    assert torch.equal(line[1][here], torch.zeros(2, dtype=torch.float64))


def test_checks_hold_and_see_a_wrong_field(monkeypatch):
    found = evidence.checks(guidance())
    assert max(found.classifier, found.score) < 1e-9
    assert found.ends == 0.0
    assert evidence.scheduler_gap(guidance()) < 1e-6
    one = torch.ones((), dtype=torch.float64)
    monkeypatch.setattr(evidence, "coefficients", lambda scheduler, t: Coefficients(one, one))
    assert evidence.checks(guidance()).classifier > 1e-3


def test_a_source_that_is_not_gaussian_has_no_classifier_guidance():
    path = scenes.path(SCENE.model_copy(update={"init": "ring5"}))
    found = evidence.checks(Guidance(path, 1, 2.0))
    assert math.isnan(found.classifier)
    assert found.score < 1e-9
    assert math.isnan(evidence.scheduler_gap(Guidance(path, 1, 2.0)))


def test_weighted_moments_are_nearer_to_exact_draws():
    found = evidence.moments(guidance(1.4))
    for plain, weighted, exact, error in found.rows[:2]:
        assert abs(weighted - exact) < abs(plain - exact)
        assert error > 0
    assert 1 < found.effective < found.count


def test_labels_that_no_component_has_fall_back_to_the_first():
    assert results.label_of(SCENE, Settings(label=7)) == 0
    assert results.label_of(SCENE, Settings(label=2)) == 2
    two = SCENE.with_mixture("data", (Component(x=-1, y=0, label=5), Component(x=1, y=0, label=9)))
    assert results.label_of(two, Settings()) == 5


@pytest.mark.parametrize(
    "settings",
    [Settings(), Settings(scale=-0.5, kind="sde"), Settings(weights="resampled", kind="sde", interval=(0.2, 0.7))],
)
def test_the_program_runs(settings, capsys):
    exec(compile(guidance_script(SCENE, settings, 1), "script", "exec"), {})
    out = capsys.readouterr().out
    assert "effective sample size" in out
    assert ("exact draws" in out) == (settings.scale >= 0 or settings.interval[1] < 1)
