"""The maps on the stage are the theory's terms; broken laws show in the maps, in the box and in the particles."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from fmviz.clips.clip import LawDensity, PlanePanel, Signed
from fmviz.clips.extents import extent
from fmviz.clips.laws import law_of
from fmviz.clips.particles import conditional_sde, marginal_ode, marginal_sde
from fmviz.clips.paths import Grid, Starts
from fmviz.lessons.conservation.compute import clips, evidence
from fmviz.lessons.conservation.compute.clips import Experiment
from fmviz.lessons.conservation.compute.perturbed import conditional_particles, marginal_particles
from fmviz.lessons.conservation.compute.summary import NAMES, summary_clip
from fmviz.scene import Scene, scenes
from fmviz.stage.payload import check
from fmviz.theory import boxes, sigmas
from fmviz.theory.conservation import TermFactors, moving_marginal, terms
from fmviz.theory.metrics import energy_distance

SCENE = Scene(count=40)
PATH, SIGMA = scenes.path(SCENE), scenes.sigma(SCENE)
GRID = Grid(extent(SCENE), frames=11, cells=24, arrows=4)
BOX = boxes.Box(0.5, 3.0, -0.8, 1.4)
Z = (1.0, 2.0)
FAST, BARE = TermFactors(velocity=1.1), TermFactors(score=0.0)


def whole(scene: Scene, what: Experiment):
    path, sigma = scenes.path(scene), scenes.sigma(scene)
    grid = replace(GRID, extent=extent(scene))
    found = clips.maps(clips.solution(path, sigma, what, grid), what)
    density = clips.density_panel(path, sigma, found, Starts(scene.count, 1, 2))
    numbers = clips.box_numbers(path, sigma, what, BOX, grid.times())
    return found, numbers, clips.clip(found, density, BOX, numbers, law_of(path, what.z or (0.0, 0.0)))


@pytest.mark.parametrize("scheduler", ["linear", "sqrt", "vp"])
@pytest.mark.parametrize("z", [None, Z])
@pytest.mark.parametrize("diffusive", [True, False])
def test_the_law_holds_on_every_frame_and_a_broken_one_nowhere(scheduler, z, diffusive):
    scene = SCENE.model_copy(update={"scheduler": scheduler})
    found, numbers, clip = whole(scene, Experiment(z, diffusive))
    check(clip)
    assert found.worst < 1e-9
    assert numbers.mismatch < 1e-9
    assert [panel.name for panel in clip.panels] == ["density", *found.values]
    assert len(found.values) == (6 if diffusive else 3)
    alone = np.isnan(found.largest["rate"])
    assert alone.tolist() == [False] * 10 + [z is not None]  # given z the end is a point mass
    fast, moved, clip = whole(scene, Experiment(z, diffusive, FAST))
    check(clip)
    torch.testing.assert_close(
        fast.values["residual"], -0.1 * found.values["transport"], equal_nan=True, atol=1e-8, rtol=0
    )
    assert moved.mismatch == pytest.approx(0.1 * np.nanmax(np.abs(numbers.rate)), rel=1e-6)
    if diffusive:
        bare, *_ = whole(scene, Experiment(z, True, BARE))
        assert np.nanmax(bare.largest["score_transport"]) == 0.0
        assert bare.worst > 0.1


def test_maps_are_the_terms_on_one_scale():
    found, numbers, clip = whole(SCENE, Experiment())
    times = GRID.times().double()
    exact = terms(moving_marginal(PATH, times), GRID.points(24), torch.full((11,), 0.5, dtype=torch.float64))
    for name, value in found.values.items():
        torch.testing.assert_close(value, getattr(exact, name))
        np.testing.assert_allclose(found.largest[name], value.abs().amax(1).numpy())
    area = (GRID.extent.x1 - GRID.extent.x0) ** 2
    np.testing.assert_allclose(found.integrals["rate"], area * exact.rate.abs().mean(1).numpy())
    ground = clip.panels[0].layers[0]
    assert isinstance(ground, LawDensity)
    assert ground.of == "marginal"
    signed = [layer for panel in clip.panels[1:] for layer in panel.layers if isinstance(layer, Signed)]
    assert len({(layer.limit, layer.limits.tobytes()) for layer in signed}) == 1
    assert [r.label for r in clip.readouts] == ["P", "dP/dt", "−Φ"]
    np.testing.assert_allclose(numbers.rate, np.gradient(numbers.mass, 0.1), atol=0.2)


def test_a_time_without_velocity_is_a_gap_and_the_density_stays():
    scene = Scene(count=40, scheduler="sqrt", init="two_modes")  # beta' is infinite at t = 1, and p_init not centred
    path, sigma = scenes.path(scene), scenes.sigma(scene)
    what = Experiment(diffusive=False)
    solution = clips.solution(path, sigma, what, replace(GRID, extent=extent(scene)))
    found = clips.maps(solution, what)
    assert bool(found.values["rate"][-1].isnan().all())
    assert bool(found.log_density[-1].isfinite().all())
    assert found.worst < 1e-9


def test_particles_of_the_true_equation_are_those_of_the_other_pages():
    x0, times = Starts(40).points(PATH.p_init), GRID.times()
    zero, z = sigmas.get("zero"), torch.tensor(Z)
    for sigma, plain in (
        (zero, marginal_ode(PATH, x0, times)),
        (SIGMA, marginal_sde(PATH, SIGMA, x0, times, Starts().noise())),
    ):
        assert torch.equal(marginal_particles(PATH, sigma, TermFactors(), x0, times, Starts().noise()), plain)
    for sigma, plain in (
        (zero, PATH.conditional_flow(x0, times[:, None], z)),
        (SIGMA, conditional_sde(PATH, SIGMA, z, x0, times, Starts().noise())),
    ):
        assert torch.equal(conditional_particles(PATH, sigma, TermFactors(), z, x0, times, Starts().noise()), plain)


def test_particles_of_a_broken_equation_given_z_have_a_distribution_of_their_own():
    """Linear schedule: x = beta^c x0 + (1 - beta^c) z for the velocity times c, and Var Y = 1 + sigma^2 (1/beta - 1) without score."""
    times, z = torch.linspace(0, 1, 41), torch.tensor(Z)
    starts = Starts(4000, seed_start=1, seed_noise=2)
    x0 = starts.points(PATH.p_init)
    beta = (1 - times)[:, None, None]
    fast = conditional_particles(PATH, sigmas.get("zero"), FAST, z, x0, times, starts.noise())
    torch.testing.assert_close(fast, beta**1.1 * x0 + (1 - beta**1.1) * z, atol=2e-5, rtol=0)
    bare = conditional_particles(PATH, SIGMA, BARE, z, x0, times, starts.noise())
    for k in (10, 30):
        b = 1 - float(times[k])
        spread = b**2 * (1 + 1 / b - 1)
        assert float((bare[k] - float(times[k]) * z).var()) == pytest.approx(spread, rel=0.06)  # 3 standard errors
    torch.testing.assert_close(bare[-1], z.expand(4000, 2))
    both = conditional_particles(PATH, SIGMA, FAST, z, x0, times, starts.noise())
    # The noise pulls Y to N(0, I) while the excess pulls its mean to z: it ends between the two.
    assert bool(both.isfinite().all())
    assert 0 < float((both[30].mean(0) - 0.75 * z) @ z) < float(z @ z)


@pytest.mark.parametrize(("what", "least"), [(Experiment(law=BARE), 3.0), (Experiment(diffusive=False, law=FAST), 2.0)])
def test_particles_of_a_broken_equation_leave_the_density(what, least):
    times, x0 = torch.linspace(0, 1, 41), Starts(1500).points(PATH.p_init)
    exact = PATH.sample(1500, 1.0, generator=torch.Generator().manual_seed(9))
    distances = []
    for law in (TermFactors(), what.law):
        moved = marginal_particles(PATH, what.noise(SIGMA), law, x0, times, Starts().noise())
        distances.append(float(energy_distance(moved[-1], exact)))
    assert distances[1] > least * distances[0]


def test_terms_agree_with_automatic_differentiation():
    found = evidence.agreement(PATH, SIGMA, n=40)
    assert max(found.rate, found.carried, found.diffusion) < 1e-9
    assert found.points == 200


def test_the_sheet_has_six_pictures():
    clip = summary_clip(PATH, SIGMA, Z, GRID, {name: (name, "<math><mi>x</mi></math>") for name in NAMES})
    check(clip)
    assert [panel.name for panel in clip.panels] == [
        "conditional_path",
        "conditional_velocity",
        "conditional_score",
        "marginal_path",
        "marginal_velocity",
        "marginal_score",
    ]
    for panel in clip.panels:
        assert isinstance(panel, PlanePanel)
        shown = {layer.name for layer in panel.layers} - {"z", "contours"}
        quantity = panel.name.split("_")[1]
        assert shown == {"density"} | ({quantity} if quantity != "path" else set())
        assert panel.formula
