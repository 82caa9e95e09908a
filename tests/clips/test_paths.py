"""The clip of a probability path shows what the theory says, frame by frame."""

import numpy as np
import pytest
import torch

from fmviz.clips import paths, scales
from fmviz.clips.clip import (
    Absent,
    Clip,
    Contours,
    Ellipses,
    Extent,
    Floats,
    LawDensity,
    LawParticles,
    LawVectors,
    Lines,
    Markers,
    Particles,
    PlanePanel,
)
from fmviz.clips.extents import extent
from fmviz.clips.laws import law_of, rows_of
from fmviz.clips.paths import Grid, Starts
from fmviz.scene import Scene, scenes
from fmviz.scene.scene import PRESETS
from fmviz.scene.views import LAYERS
from fmviz.stage.payload import check, layer_names
from fmviz.theory import GaussianMixture
from fmviz.theory.metrics import energy_distance

GRID = Grid(Extent(-4.5, 4.5, -4.5, 4.5), frames=21, cells=96, arrows=10)
STARTS = Starts(count=600, seed_start=1, seed_noise=2)
Z = (1.5, -1.0)
CLICK = (0.7, 0.4, 0.6)
SHOWN = {
    "density", "contours", "velocity", "score", "ode", "ode_trails", "sde", "sde_trails", "reference", "mixture", "z", "click",
}  # fmt: skip


def positions(clip: Clip, panel: PlanePanel, name: str) -> Floats:
    """Where the particles of a layer are, (T, N, 2); an interpolant is worked out as the player does it."""
    found = layer(panel, LawParticles if name != "sde" else Particles, name)
    if found.positions is not None:
        return found.positions
    alpha, beta = (readout.values[:, None, None] for readout in clip.readouts[:2])
    ends = np.float32(clip.law.z) if found.ends is None else found.ends
    return alpha * ends + beta * found.starts


def layer(panel: PlanePanel, kind: type, name: str):
    return next(found for found in panel.layers if isinstance(found, kind) and found.name == name)


@pytest.fixture(scope="module", params=["linear", "sqrt", "trig", "vp"])
def scene(request):
    return Scene(data="three_modes", scheduler=request.param)


@pytest.fixture(scope="module")
def clip(scene):
    return paths.paths_clip(scenes.path(scene), scenes.sigma(scene), GRID, STARTS, Z, CLICK)


def test_the_stage_accepts_it_and_knows_its_layers(clip):
    check(clip)
    assert set(layer_names(clip)) == SHOWN <= set(LAYERS)


def test_closed_forms_travel_as_the_law(scene, clip):
    path = scenes.path(scene)
    assert clip.law.schedule == law_of(path, Z).schedule
    np.testing.assert_array_equal(clip.law.data, rows_of(path.p_data))
    np.testing.assert_array_equal(clip.law.init, rows_of(path.p_init))
    assert clip.law.z == Z
    for panel in clip.panels[:2]:
        assert layer(panel, LawDensity, "density").of == panel.name
        for name in ("velocity", "score"):
            vectors = layer(panel, LawVectors, name)
            assert (vectors.of, vectors.quantity, vectors.across) == (panel.name, name, 10)


def test_the_colours_reach_the_largest_density(scene, clip):
    """On a fine grid no density of the marginal path is above the top, and somewhere it comes close to it."""
    path = scenes.path(scene)
    log_p = path.log_density(GRID.points(GRID.cells), GRID.times()[:, None])
    top = layer(clip.panels[1], LawDensity, "density").log_max
    assert top - 0.1 < float(log_p.max()) <= top + 1e-5


def test_the_colours_of_the_conditional_density_end_at_its_peak_at_three_fifths(scene, clip):
    path = scenes.path(scene)
    z = torch.tensor(Z)
    peak = float(path.conditional(z, 0.6).log_density(path.conditional(z, 0.6).means).max())
    assert layer(clip.panels[0], LawDensity, "density").log_max == pytest.approx(peak, abs=1e-5)


def test_many_pairs_have_scales_of_fewer_times():
    """With 1536 pairs 16 times and 192 centres are looked at; what is missed by it does not show."""
    scene = Scene(data="checkerboard", init="circles")
    path = scenes.path(scene)
    top = scales.density_top(path, 61)
    times = torch.linspace(0, 1, 31)
    values = path.log_density(Grid(extent(scene)).points(64), times[:, None])
    assert top == pytest.approx(float(values.max()), abs=0.15)


def test_arrows_of_both_panels_have_one_scale(clip):
    for name in ("velocity", "score"):
        left, right = (layer(panel, LawVectors, name) for panel in clip.panels[:2])
        assert left.scale == right.scale > 0


@pytest.mark.parametrize("frame", [5, 20])
@pytest.mark.parametrize("name", ["ode", "sde", "reference"])
def test_particles_of_both_panels_are_distributed_as_the_path(scene, clip, frame, name):
    path, t = scenes.path(scene), float(clip.times[frame])
    generator = torch.Generator().manual_seed(5)
    for panel in clip.panels[:2]:
        particles = torch.from_numpy(positions(clip, panel, name)[frame])

        def exact(panel=panel):
            if panel.name == "marginal":
                return path.sample(600, t, generator=generator)
            return path.conditional_flow(path.p_init.sample(600, generator=generator), t, torch.tensor(Z))

        pairs = [(exact(), exact()) for _ in range(12)]
        floor = np.mean([float(energy_distance(a, b)) for a, b in pairs])
        found = np.mean([float(energy_distance(particles, a)) for a, _ in pairs])
        # one set of particles against many exact ones: its own scatter alone is up to twice the floor
        assert found <= 2.5 * floor + 1e-6, (panel.name, found, floor)


def test_conditional_trajectories_meet_at_the_click(scene):
    path = scenes.path(scene)
    frame = Grid(GRID.extent, frames=21)
    lines, _, through, moving, ring = paths.click_layers(path, (0.7, 0.4, 0.6), frame)
    assert isinstance(lines, Lines)
    assert len(lines.points) == paths.POSTERIOR_LINES
    for line in lines.points:
        np.testing.assert_allclose(line[12], (0.7, 0.4), atol=2e-5)
    assert isinstance(through, Lines)
    assert isinstance(moving, Markers)
    assert isinstance(ring, Markers)
    np.testing.assert_allclose(moving.positions[12, 0], (0.7, 0.4), atol=1e-6)
    np.testing.assert_allclose(ring.positions, [(0.7, 0.4)], atol=1e-6)


@pytest.mark.parametrize("t", [0.0, 0.317, 0.6, 1.0])
def test_the_trajectory_is_a_solution_both_ways(scene, t):
    path = scenes.path(scene)
    positions, line = paths.trajectory_through(path, (0.7, 0.4, t), GRID)
    assert positions.shape == (21, 2)
    assert line.shape == (21 + (t == 0.317), 2)
    times = GRID.times()
    middle = (times[1:] + times[:-1]) / 2
    slope = (positions[1:] - positions[:-1]) / (times[1:] - times[:-1])[:, None]
    expected = path.marginal_velocity((positions[1:] + positions[:-1]) / 2, middle)
    error = torch.linalg.vector_norm(slope - expected, dim=-1) / torch.linalg.vector_norm(expected, dim=-1)
    assert float(error.median()) < 0.02


def test_posterior_bars_are_those_of_the_clicked_point(clip):
    bars = clip.panels[2].bars
    assert bars is not None
    assert bars.labels == tuple("123")
    assert bars.values is None
    assert bars.at == CLICK[:2]


def test_simulated_layers_are_absent_until_they_are_sent():
    scene = Scene(count=20)
    path, sigma = scenes.path(scene), scenes.sigma(scene)
    for make in (
        lambda sent: paths.marginal_panel(path, sigma, GRID, Starts(20), sent),
        lambda sent: paths.conditional_panel(path, sigma, Z, GRID, Starts(20), sent),
    ):
        off, on = make(frozenset()), make(frozenset({"sde_trails"}))
        assert layer(off, Absent, "sde").trail_name == "sde_trails"
        assert layer(on, Particles, "sde").positions.shape == (21, 20, 2)
        assert [entry.name for entry in off.layers] == [entry.name for entry in on.layers]


def test_readouts_are_the_schedule(scene, clip):
    alpha, beta, sigma = clip.readouts
    assert [r.label for r in clip.readouts] == ["α", "β", "σ"]
    t = torch.from_numpy(clip.times)
    np.testing.assert_allclose(alpha.values, scenes.scheduler(scene).alpha(t), atol=1e-6)
    np.testing.assert_allclose(beta.values, scenes.scheduler(scene).beta(t), atol=1e-6)
    np.testing.assert_allclose(sigma.values, 1)


def test_same_choice_same_arrays():
    scene = Scene(data="moons", count=50)
    first, second = (
        paths.paths_clip(scenes.path(scene), scenes.sigma(scene), GRID, Starts(50, 3, 4), Z, CLICK) for _ in range(2)
    )
    for a, b in zip(first.panels[1].layers, second.panels[1].layers, strict=True):
        if isinstance(a, LawParticles | Particles) and a.positions is not None:
            np.testing.assert_array_equal(a.positions, b.positions)


def test_new_noise_keeps_the_starting_points():
    scene = Scene(count=50)
    first, second = (
        paths.marginal_panel(scenes.path(scene), scenes.sigma(scene), GRID, Starts(50, 3, noise)) for noise in (1, 2)
    )
    a, b = (layer(panel, Particles, "sde").positions for panel in (first, second))
    np.testing.assert_array_equal(a[0], b[0])
    assert np.abs(a[5] - b[5]).max() > 0.1
    a, b = (layer(panel, LawParticles, "ode").positions for panel in (first, second))
    np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("data", PRESETS)
def test_every_preset_makes_a_clip_within_its_view(data):
    scene = Scene(data=data, count=20)
    grid = Grid(extent(scene), frames=5, cells=24, arrows=6)
    clip = paths.paths_clip(scenes.path(scene), scenes.sigma(scene), grid, Starts(20), (0.0, 0.0))
    check(clip)
    mixture = layer(clip.panels[1], Ellipses, "mixture")
    assert np.abs(mixture.means).max() < grid.extent.x1


def test_a_mixture_as_source():
    scene = Scene(data="ring5", init="two_modes", count=400)
    clip = paths.paths_clip(scenes.path(scene), scenes.sigma(scene), GRID, Starts(400), Z, CLICK)
    check(clip)
    sde = torch.from_numpy(layer(clip.panels[0], Particles, "sde").positions[10])
    path = scenes.path(scene)
    exact = [
        path.conditional_flow(path.p_init.sample(400, generator=torch.Generator().manual_seed(s)), 0.5, torch.tensor(Z))
        for s in range(8)
    ]
    floor = np.mean([float(energy_distance(a, b)) for a, b in zip(exact[::2], exact[1::2], strict=True)])
    assert np.mean([float(energy_distance(sde, e)) for e in exact]) <= 3 * floor


def test_equal_seeds_do_not_make_the_noise_the_starting_points():
    starts = Starts(count=4000)
    x0 = starts.points(GaussianMixture.standard())
    noise = torch.randn(x0.shape, generator=starts.noise())
    correlation = torch.corrcoef(torch.stack([x0.flatten(), noise.flatten()]))[0, 1]
    assert abs(correlation) < 4 / x0.numel() ** 0.5


def test_the_arrow_at_the_seventh_decile_is_nine_tenths_of_a_cell():
    """Lengths 1 to 101: the 71st is 71. A cell of the 10 arrows on 9 units is 0.9."""
    lengths = torch.arange(1.0, 102.0)[torch.randperm(101, generator=torch.Generator().manual_seed(0))]
    angles = torch.rand(101, generator=torch.Generator().manual_seed(1)) * 6.28
    vectors = lengths[:, None] * torch.stack([angles.cos(), angles.sin()], dim=-1)
    assert paths.arrow_scale(vectors, GRID) * 71 == pytest.approx(0.81, rel=1e-5)
    assert paths.arrow_scale(torch.zeros(5, 2), GRID) == 1.0


def test_by_default_there_are_61_frames_of_96_cells_and_20_arrows() -> None:
    grid = Grid(Extent(-1, 1, -1, 1))
    assert (grid.frames, grid.cells, grid.arrows) == (61, 96, 20)
    assert grid.times()[[0, 1, -1]].tolist() == pytest.approx([0.0, 1 / 60, 1.0])


def test_reference_samples_follow_the_seed_of_the_starts_and_are_not_the_starts() -> None:
    law = GaussianMixture.standard()
    one, other = Starts(count=5, seed_start=0), Starts(count=5, seed_start=1)
    drawn = [law.sample(5, generator=starts.reference()) for starts in (one, other)]
    assert not torch.equal(*drawn)
    assert torch.equal(drawn[0], law.sample(5, generator=one.reference()))
    assert not torch.equal(drawn[0], one.points(law))


def test_seeds_are_zero_and_planes_tell_where_they_are_clicked(clip) -> None:
    assert Starts() == Starts(500, seed_start=0, seed_noise=0)
    assert [panel.clickable for panel in clip.panels[:2]] == [True, True]


def test_what_meets_at_the_click_is_dashed_and_faint(scene) -> None:
    fans, _, line, *_ = paths.click_layers(scenes.path(scene), CLICK, GRID)
    assert (fans.dashed, line.dashed, line.opacity) == (True, False, 1.0)
    assert len(fans.points) == paths.POSTERIOR_LINES
    assert 0.0 < fans.opacity < 1.0


def test_by_default_there_are_as_many_particles_as_in_a_new_scene():
    assert Starts().count == Scene().count


def test_contours_are_a_fifth_of_the_top_apart_with_one_at_a_twentieth():
    np.testing.assert_allclose(Contours("c").levels, [1 / 20, 1 / 5, 2 / 5, 3 / 5, 4 / 5], rtol=1e-12)
