"""The clip of the page Flows holds the exact flow and exactly the chosen steps, and the stage can play it."""

import numpy as np
import pytest
import torch

from fmviz.clips.clip import Clip, Lines, Markers, Mesh, Particles, PlanePanel
from fmviz.clips.extents import extent
from fmviz.clips.paths import Grid, as_array
from fmviz.lessons.flows.compute import clips
from fmviz.lessons.flows.compute.evidence import evidence
from fmviz.lessons.flows.settings import RATES, STARTS
from fmviz.scene import Scene, scenes
from fmviz.stage.checking import check
from fmviz.theory.flows import Field, Marginal, Rotation, analytic, exact_flow

GRID = Grid(clips.EXTENT, frames=13, arrows=6)
X0 = torch.tensor(STARTS)
METHODS = ("euler", "rk4")


def layer(panel: PlanePanel, kind: type, name: str):
    (found,) = [one for one in panel.layers if isinstance(one, kind) and one.name == name]
    return found


def made(field: Field, steps: int, x0: torch.Tensor = X0) -> tuple[Clip, PlanePanel, clips.Trajectories]:
    found = clips.trajectories(field, clips.exact_trajectories(field, x0, GRID), METHODS, steps)
    panel = clips.field_panel(clips.arrows(field, GRID), found, GRID)
    panels = (panel, clips.mesh_panel(field, GRID))
    return Clip(as_array(GRID.times()), panels, clips.error_readouts(found, GRID)), panel, found


@pytest.mark.parametrize("name", [*RATES, "marginal"])
def test_every_field_makes_a_clip_of_its_exact_flow(name):
    field = Marginal(scenes.path(Scene()).to(torch.float64)) if name == "marginal" else analytic(name, 1.0)
    clip, panel, _ = made(field, 3)
    check(clip)
    exact = exact_flow(field, X0, GRID.times().double())
    np.testing.assert_allclose(layer(panel, Particles, "exact").positions, exact, atol=1e-5)
    vectors = panel.layers[0]
    at = torch.from_numpy(vectors.positions)
    np.testing.assert_allclose(vectors.vectors[6], field.velocity(at, 0.5), atol=1e-4)


def test_a_solver_takes_exactly_its_steps_and_moves_straight_between_them():
    _, panel, _ = made(Rotation(2.0), 4)
    lines = layer(panel, Lines, "euler")
    assert lines.dots
    assert [len(line) for line in lines.points] == [5] * len(X0)
    x, y = STARTS[0]
    np.testing.assert_allclose(lines.points[0][1], (x - 0.5 * y, y + 0.5 * x), rtol=1e-6)
    moving = layer(panel, Particles, "euler").positions
    np.testing.assert_allclose(moving[::3, 0], lines.points[0], rtol=1e-6)  # four steps on twelve frame intervals
    np.testing.assert_allclose(moving[1, 0], lines.points[0][:2].T @ (2 / 3, 1 / 3), rtol=1e-5)


def test_the_readouts_are_the_largest_errors():
    clip, _, found = made(Rotation(2.0), 4)
    assert [readout.label for readout in clip.readouts] == list(METHODS)
    end = (found.solved["euler"][-1] - found.exact[-1]).norm(dim=-1).max()
    assert clip.readouts[0].values[-1] == pytest.approx(float(end), rel=1e-5)
    assert clip.readouts[0].values[0] == 0.0


def test_without_points_the_field_remains():
    clip, panel, _ = made(Rotation(2.0), 4, torch.zeros(0, 2))
    check(clip)
    assert len(panel.layers) == 1
    assert clip.readouts == ()


def test_each_start_can_be_dragged_by_a_name_of_its_own():
    _, panel, _ = made(Rotation(2.0), 4)
    assert [m.drag for m in panel.layers if isinstance(m, Markers)] == ["start0", "start1", "start2"]


@pytest.mark.parametrize("scheduler", ["linear", "sqrt"])
def test_the_mesh_of_a_marginal_field_is_where_the_flow_has_it_but_for_a_fraction_of_a_pixel(scheduler):
    scene = Scene(scheduler=scheduler)
    field, grid = Marginal(scenes.path(scene).to(torch.float64)), Grid(extent(scene))
    mesh = layer(clips.mesh_panel(field, grid), Mesh, "mesh").positions
    moved = exact_flow(field, torch.from_numpy(mesh[0].reshape(-1, 2)), grid.times().double())
    assert np.abs(mesh.reshape(moved.shape) - moved.numpy()).max() < 1e-3 * (grid.extent.x1 - grid.extent.x0) / 10


def test_the_mesh_follows_the_flow_and_keeps_its_orientation():
    field = analytic("vortex", 6.0)
    mesh = layer(clips.mesh_panel(field, GRID), Mesh, "mesh").positions
    moved = exact_flow(field, torch.from_numpy(mesh[0].reshape(-1, 2)), (0.0, 1.0))[-1]
    np.testing.assert_allclose(mesh[-1].reshape(-1, 2), moved, atol=1e-5)
    along, up = mesh[0, 0, 1] - mesh[0, 0, 0], mesh[0, 1, 0] - mesh[0, 0, 0]
    assert along[0] > 0
    assert up[1] > 0


def test_conditional_trajectories_are_straight_and_meet_in_z():
    path, z = scenes.path(Scene()), (1.0, -0.5)
    panel = clips.conditional_panel(path, z, X0, GRID)
    check(Clip(as_array(GRID.times()), (panel,)))
    np.testing.assert_allclose(layer(panel, Mesh, "mesh").positions[-1], np.broadcast_to(z, (17, 17, 2)), atol=1e-6)
    halfway = layer(panel, Particles, "exact").positions[6]
    np.testing.assert_allclose(halfway, 0.5 * X0 + 0.5 * torch.tensor(z), atol=1e-6)
    bound = clips.lipschitz_readout(path, GRID).values  # 1 / (1 - t) for the linear scheduler
    np.testing.assert_allclose(bound[:-1], 1 / (1 - GRID.times()[:-1]), rtol=1e-5)
    assert np.isnan(bound[-1])


@pytest.mark.parametrize("name", ["linear", "vortex", "marginal"])
def test_the_flow_agrees_with_an_integrator_and_composes(name):
    field = Marginal(scenes.path(Scene()).to(torch.float64)) if name == "marginal" else analytic(name, 1.0)
    found = evidence(field, GRID)
    close = name != "marginal"
    assert found.closed is close
    assert found.independent < 1e-6
    assert found.composition < (1e-12 if close else 1e-6)
    assert found.inverse < (1e-12 if close else 1e-5)
    assert 0 < found.least <= found.most
    assert found.liouville < (1e-11 if close else 1e-5)
