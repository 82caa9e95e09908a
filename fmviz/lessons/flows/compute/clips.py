r"""The clip of the page Flows: what moves points exactly and what a solver makes of it, on one stage (T1 to T4).

The first panel holds the field, the exact trajectories of a few points and, for each solver, its own: one vertex a
step, joined by straight lines. The second shows either a mesh carried along by the same flow, which is bent but never
torn (T2), or the conditional field of the scene, where the bound that T2 asks for fails: its flow
:math:`\psi_t(x_0|z) = \alpha_t z + \beta_t x_0` has the derivative :math:`\beta_t I`, its field the derivative
:math:`(\dot\beta_t / \beta_t) I`, so at t = 1 all its trajectories meet in z.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

import torch
from torch import Tensor

from fmviz.clips.clip import Extent, Floats, Layer, Lines, Markers, Mesh, Particles, PlanePanel, Readout, Role, Vectors
from fmviz.clips.frames import at_frames
from fmviz.clips.particles import marginal_ode
from fmviz.clips.paths import Grid, arrow_scale, as_array
from fmviz.theory import ProbabilityPath
from fmviz.theory.flows import Field, Marginal, exact_flow
from fmviz.theory.solvers import solve_ode

__all__ = [
    "EXTENT",
    "Trajectories",
    "arrows",
    "conditional_panel",
    "error_readouts",
    "exact_trajectories",
    "field_panel",
    "lipschitz_readout",
    "mesh_panel",
    "trajectories",
]

EXTENT = Extent(-2.5, 2.5, -2.5, 2.5)
"""What is shown of the fields that know no scene."""
MESH_LINES = 17
"""Lines of the mesh in each direction."""
MESH_SHARE = 0.7
"""Part of the panel's width that the mesh covers at t = 0."""
START_SIZE = 1.6


@dataclass(frozen=True, eq=False)
class Trajectories:
    """The trajectories of N points.

    Attributes:
        exact: at the frames, (T, N, 2).
        solved: by method, with one point a step, (steps + 1, N, 2).
        steps: how many steps each method took.
    """

    exact: Tensor
    solved: dict[str, Tensor]
    steps: int

    def times(self) -> list[float]:
        """Those between the steps: 0, h, …, 1."""
        return [i / self.steps for i in range(self.steps + 1)]


@torch.inference_mode()
def exact_trajectories(field: Field, x0: Tensor, grid: Grid) -> Tensor:
    """The exact flow of x0 (N, 2) at the frames, (T, N, 2), float64."""
    return exact_flow(field, x0, grid.times().double())


@torch.inference_mode()
def trajectories(field: Field, exact: Tensor, methods: tuple[str, ...], steps: int) -> Trajectories:
    """Beside `exact` (T, N, 2), exactly `steps` steps of each method from the same points (T4)."""
    return Trajectories(exact, {m: solve_ode(field.velocity, exact[0], steps, m)[0] for m in methods}, steps)


@torch.inference_mode()
def arrows(field: Field, grid: Grid) -> Vectors:
    """The field as arrows at every frame."""
    at = grid.points(grid.arrows)
    vectors = field.velocity(at[None], grid.times()[:, None])
    longest = 1.4 * (grid.extent.x1 - grid.extent.x0) / grid.arrows
    return Vectors("velocity", "velocity", as_array(at), as_array(vectors), arrow_scale(vectors, grid), longest)


def field_panel(below: Vectors, found: Trajectories, grid: Grid) -> PlanePanel:
    """The field, and points that start at the same places and move exactly and by each solver.

    Between two steps a solver's point is drawn on the straight line that joins them: only the vertices are its own.
    """
    layers: list[Layer] = [below]
    if found.exact.shape[1]:
        solved = [(_role(method), trajectory) for method, trajectory in found.solved.items()]
        layers += [Lines(role, role, _lines(trajectory), dots=True) for role, trajectory in solved]
        layers.append(Lines("exact", "ode", _lines(found.exact)))
        for role, trajectory in solved:
            moving = as_array(at_frames(trajectory, found.times(), grid.times()))
            layers.append(Particles(role, role, moving, size=START_SIZE))
        layers.append(Particles("exact", "ode", as_array(found.exact), size=START_SIZE))
        layers += [
            Markers("starts", "init", as_array(start[None]), shape="ring", drag=f"start{i}")
            for i, start in enumerate(found.exact[0])
        ]
    return PlanePanel("field", "", grid.extent, tuple(layers), clickable=True)


@torch.inference_mode()
def mesh_panel(field: Field, grid: Grid) -> PlanePanel:
    """A mesh of points carried along by the flow, over the same mesh at rest.

    The flow is exact where it has a closed form. That of a marginal field takes two steps of Heun a frame: nothing is
    measured on the mesh, and to solve it as exactly as the points costs fifteen times as much.
    """
    at_rest = _mesh(grid)
    start = at_rest.flatten(0, 1)
    if isinstance(field, Marginal):
        halves = torch.linspace(0.0, 1.0, 2 * grid.frames - 1)
        moved = marginal_ode(field.path.to(start.dtype), start, halves)[::2]
    else:
        moved = exact_flow(field, start, grid.times().double())
    moved = moved.reshape(-1, *at_rest.shape)
    rows = (*at_rest, *at_rest.transpose(0, 1))
    return PlanePanel(
        "mesh",
        "",
        grid.extent,
        (
            Mesh("mesh", "ode", as_array(moved)),
            Lines("mesh", "init", tuple(as_array(row) for row in rows), opacity=0.25),
        ),
    )


@torch.inference_mode()
def conditional_panel(path: ProbabilityPath, z: tuple[float, float], x0: Tensor, grid: Grid) -> PlanePanel:
    """The conditional field given z, its straight trajectories, and a mesh that ends in one point."""
    point, times = torch.tensor(z), grid.times()
    at = grid.points(grid.arrows)
    velocity = path.conditional_velocity(at[None], times[:-1, None], point)
    vectors = torch.cat([velocity, torch.full_like(velocity[:1], torch.nan)])
    longest = 1.4 * (grid.extent.x1 - grid.extent.x0) / grid.arrows
    mesh = _mesh(grid)
    moved = path.conditional_flow(mesh.flatten(0, 1)[None], times[:, None], point).reshape(-1, *mesh.shape)
    exact = path.conditional_flow(x0[None], times[:, None], point)
    layers: list[Layer] = [
        Vectors("velocity", "velocity", as_array(at), as_array(vectors), arrow_scale(velocity, grid), longest),
        Mesh("mesh", "init", as_array(moved)),
    ]
    if len(x0):
        layers += [Lines("exact", "ode", _lines(exact)), Particles("exact", "ode", as_array(exact), size=START_SIZE)]
    layers.append(Markers("z", "data", as_array(point[None]), shape="cross", label="z", drag="z"))
    return PlanePanel("conditional", "", grid.extent, tuple(layers))


def error_readouts(found: Trajectories, grid: Grid) -> tuple[Readout, ...]:
    """For each solver the largest distance of a point to where the exact flow has it, frame by frame; none without points."""
    if not found.exact.shape[1]:
        return ()
    return tuple(
        Readout(
            method,
            as_array((at_frames(solved, found.times(), grid.times()) - found.exact).square().sum(-1).sqrt().amax(-1)),
        )
        for method, solved in found.solved.items()
    )


@torch.inference_mode()
def lipschitz_readout(path: ProbabilityPath, grid: Grid) -> Readout:
    """The Lipschitz constant of the conditional field, |beta'/beta|, which T2 would need bounded; none at t = 1."""
    v = path.scheduler.evaluate(grid.times().double())
    there = v.beta > 0
    ratio = torch.where(there, v.d_beta / v.beta.masked_fill(~there, 1.0), torch.nan).abs()
    return Readout("|∇u|", as_array(ratio))


def _mesh(grid: Grid) -> Tensor:
    """The mesh at t = 0, (R, C, 2), in the middle of the panel."""
    e = grid.extent
    share = torch.linspace(-MESH_SHARE / 2, MESH_SHARE / 2, MESH_LINES)
    x, y = (e.x0 + e.x1) / 2 + share * (e.x1 - e.x0), (e.y0 + e.y1) / 2 + share * (e.y1 - e.y0)
    return torch.stack(torch.meshgrid(x, y, indexing="xy"), dim=-1)


def _lines(positions: Tensor) -> tuple[Floats, ...]:
    return tuple(as_array(positions[:, i]) for i in range(positions.shape[1]))


def _role(method: str) -> Role:
    return next(role for role in get_args(Role) if role == method)
