"""Clips for the tests of the stage, in numpy alone: the path from N(0, I) to a mixture with alpha = t, beta = 1 - t."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from fmviz.clips.clip import (
    Bars,
    BarsPanel,
    Box,
    Clip,
    Contours,
    Density,
    Ellipses,
    Extent,
    Floats,
    Lines,
    Markers,
    Mesh,
    Particles,
    PlanePanel,
    Readout,
    Role,
    Signed,
    Vectors,
)
from fmviz.stage.payload import Labels, layer_names

MEANS = np.array([[2.4, 0.2], [0.7, 2.2], [-2.0, 1.4], [-1.9, -1.3], [0.8, -2.3]])
COVARIANCES = np.array(
    [[[0.12, 0.05], [0.05, 0.2]], [[0.2, -0.06], [-0.06, 0.1]], [[0.15, 0.0], [0.0, 0.15]]]
    + [[[0.3, 0.12], [0.12, 0.12]], [[0.1, 0.0], [0.0, 0.25]]]
)
WEIGHTS = np.array([0.25, 0.2, 0.15, 0.25, 0.15])
HALF = 4.0

Doubles = NDArray[np.float64]


def f32(values: object) -> Floats:
    return np.asarray(values, dtype=np.float32)


def _fields(x: Doubles, t: float, means: Doubles, covariances: Doubles, weights: Doubles) -> tuple[Doubles, ...]:
    """log p_t, velocity, score and posterior at x (N, 2)."""
    beta = 1 - t
    cov = t**2 * covariances + beta**2 * np.eye(2)
    inverse = np.linalg.inv(cov)
    d = x[:, None] - t * means
    solved = np.einsum("kij,nkj->nki", inverse, d)
    log = np.log(weights) - 0.5 * np.einsum("nki,nki->nk", d, solved)
    log -= np.log(2 * np.pi) + 0.5 * np.log(np.linalg.det(cov))
    top = log.max(1, keepdims=True)
    total = top + np.log(np.exp(log - top).sum(1, keepdims=True))
    posterior = np.exp(log - total)
    moved = means + np.einsum("kij,nkj->nki", t * covariances - beta * np.eye(2), solved)
    velocity = np.einsum("nk,nki->ni", posterior, moved)
    score = -np.einsum("nk,nki->ni", posterior, solved)
    return total[:, 0], velocity, score, posterior


def _panel(
    name: str, title: str, means: Doubles, covariances: Doubles, weights: Doubles, times: Doubles, side: int, n: int
) -> PlanePanel:
    rng = np.random.default_rng(0)
    centres = -HALF + 2 * HALF * (np.arange(side) + 0.5) / side
    grid = np.stack(np.meshgrid(centres, centres), -1).reshape(-1, 2)
    spots = -HALF + 2 * HALF * (np.arange(20) + 0.5) / 20
    arrows = np.stack(np.meshgrid(spots, spots), -1).reshape(-1, 2)
    log, velocity, score = [], [], []
    ode = [rng.standard_normal((n, 2))]
    sde = [ode[0].copy()]
    late = times.clip(0, 0.985)
    for i, t in enumerate(late):
        fields = _fields(grid, t, means, covariances, weights)
        log.append(fields[0].reshape(side, side))
        _, u, s, _ = _fields(arrows, t, means, covariances, weights)
        velocity.append(u)
        score.append(s)
        if i:
            steps = 8
            h = (late[i] - late[i - 1]) / steps
            x, y = ode[-1], sde[-1]
            for j in range(steps):
                now = late[i - 1] + j * h
                x = x + h * _fields(x, now, means, covariances, weights)[1]
                _, u, s, _ = _fields(y, now, means, covariances, weights)
                y = y + h * (u + 0.5 * s) + np.sqrt(h) * rng.standard_normal(y.shape)
            ode.append(x)
            sde.append(y)
    logs = f32(log)
    velocity[-1] = np.full_like(velocity[-1], np.nan) if name == "conditional" else velocity[-1]
    k = rng.choice(len(weights), n, p=weights)
    z = means[k] + np.einsum("nij,nj->ni", np.linalg.cholesky(covariances)[k], rng.standard_normal((n, 2)))
    reference = times[:, None, None] * z + (1 - times)[:, None, None] * rng.standard_normal((n, 2))
    editable = name == "marginal"
    layers = (
        Density("density", logs, float(logs[: int(0.8 * len(times))].max())),
        Contours("contours"),
        Vectors("velocity", "velocity", f32(arrows), f32(velocity), 0.12, 0.5),
        Vectors("score", "score", f32(arrows), f32(score), 0.06, 0.5),
        Particles("reference", "reference", f32(reference)),
        Particles("sde", "sde", f32(sde), trail=8, trail_name="trails"),
        Particles("ode", "ode", f32(ode), trail=8, trail_name="ode trails"),
        Ellipses("ellipses", "data", f32(MEANS), f32(COVARIANCES), f32(WEIGHTS), edit="data" if editable else None),
    )
    if not editable:
        line = f32([[[-1.5, 0.5], means[0]]])
        layers += (
            Lines("lines", "data", tuple(line), dashed=True),
            Markers("z", "data", f32(means), "cross", label="z", drag="z"),
        )
    return PlanePanel(name, title, Extent(-HALF, HALF, -HALF, HALF), layers, clickable=True)


def default_clip(frames: int = 61, side: int = 96, particles: int = 500) -> Clip:
    """Two planes and a panel of bars with every layer, like the Probability paths page."""
    times = np.linspace(0, 1, frames)
    z, point = MEANS[:1], np.full((1, 2, 2), 1e-4) * np.eye(2)
    bars = np.stack([_fields(np.array([[0.6 * t, 1.2 * t]]), t, MEANS, COVARIANCES, WEIGHTS)[3][0] for t in times])
    return Clip(
        times=f32(times),
        panels=(
            _panel("conditional", "Conditional path p(x | z)", z, point, np.ones(1), times, side, particles),
            _panel("marginal", "Marginal path p(x)", MEANS, COVARIANCES, WEIGHTS, times, side, particles),
            BarsPanel("posterior", "Posterior of z", Bars(("1", "2", "3", "4", "5"), f32(bars))),
        ),
        readouts=(
            Readout("α", f32(times)),
            Readout("β", f32(1 - times)),
            Readout("σ", f32(np.full(frames, 1.0))),
        ),
    )


def small_clip() -> Clip:
    """The same with few frames, cells and particles, for quick tests."""
    return default_clip(frames=11, side=24, particles=40)


MATH = (
    '<math xmlns="http://www.w3.org/1998/Math/MathML"><mrow><msub><mo>∂</mo><mi>t</mi></msub><mi>p</mi><mo>+</mo>'
    '<mo>∇</mo><mo>·</mo><mo stretchy="false">(</mo><mi>p</mi><mi>u</mi><mo stretchy="false">)</mo><mo>=</mo><mn>0</mn>'
    "</mrow></math>"
)


def signed_panel(name: str, values: object, limit: float = 1.0, *, limits: object = None, **more: object) -> PlanePanel:
    """A panel of one signed field on [-2, 2]²."""
    array = f32(values)
    each = f32(np.full(len(array), limit) if limits is None else limits)
    layers = (Signed("term", array, limit, each, label="∂p"),)
    return PlanePanel(name, name.capitalize(), Extent(-2, 2, -2, 2), layers, **more)  # type: ignore[arg-type]


def conservation_clip(panels: int = 4, frames: int = 31, side: int = 96, *, formula: str = MATH) -> Clip:
    """A Gaussian that moves along x: dp/dt and what balances it in some panels, a box that counts, a grid carried along."""
    times = np.linspace(0, 1, frames)
    line = -2 + 4 * (np.arange(side) + 0.5) / side
    x, y = np.meshgrid(line, line)
    d = x - (times[:, None, None] - 0.5)
    change = d / 0.2 * np.exp(-(d**2 + y**2) / 0.4)
    limit = float(np.abs(change).max())
    nodes = np.linspace(-1.5, 1.5, 13)
    mesh = np.stack(np.meshgrid(nodes, nodes), -1) + np.stack([times, 0 * times], -1)[:, None, None] * 0.4
    mass = f32(0.2 + 0.2 * times)
    flux = f32(np.stack([-0.3 + 0 * times, 0.2 * times, 0.01 + 0 * times, np.full(frames, 0.4)], -1))
    box = Box("box", "velocity", -1, 0.5, -0.75, 0.75, mass, flux, 2.0, drag="box")
    kinds = {0: (box,), 1: (Mesh("mesh", "path", f32(mesh)), box), 2: (box,)}
    named = ("change", "transport", "diffusion", "score", "sum", "rest")[:panels]
    shown = []
    for n, name in enumerate(named):
        panel = signed_panel(name, change * (-1) ** n, limit, limits=np.full(frames, limit), formula=formula)
        shown.append(dataclasses.replace(panel, layers=(*panel.layers, *kinds.get(n, ()))))
    return Clip(f32(times), tuple(shown), readouts=(Readout("mass", mass),))


def flow_clip() -> Clip:
    """A plane with the steps of solvers and three draggable starts, and t against x with scales of its own."""
    times = np.linspace(0, 1, 11)
    starts = [Markers("start", "init", f32([[-3 + 2 * n, 2]]), "ring", drag=f"start{n}") for n in range(3)]
    ways = f32([[[-3, 2], [-2, 0], [0, -1], [2, -1.5]]])
    roles: tuple[Role, ...] = ("euler", "midpoint", "heun", "rk4")
    solvers = [Lines(role, role, tuple(ways + f32([0, 0.6 * n])), dots=True) for n, role in enumerate(roles)]
    plane = PlanePanel("plane", "Plane", Extent(-4, 4, -4, 4), (*solvers, *starts), clickable=True)
    spots = f32(np.stack(np.meshgrid(np.linspace(0.1, 0.9, 5), np.linspace(-20, 20, 5)), -1).reshape(-1, 2))
    slope = f32(np.broadcast_to([0.1, 10.0], (11, 25, 2)))
    growing = f32(np.stack([np.broadcast_to(times[:, None], (11, 5)), np.outer(times, np.linspace(-20, 20, 5))], -1))
    against = PlanePanel(
        "time",
        "Against time",
        Extent(0, 1, -25, 25),
        (Vectors("slope", "velocity", spots, slope, 1.0, 100.0), Particles("walk", "sde", growing, trail=11)),
        aspect=1.6,
        x_label="t",
        y_label="X",
    )
    return Clip(f32(times), (plane, against))


TEXTS = {
    "stage": "Moving scene",
    "summary": "{panels}. Shown: {layers}. From t = {start} to {end} in {seconds} s.",
    "play": "Play",
    "pause": "Pause",
    "back": "One frame back",
    "forward": "One frame forward",
    "time": "Time",
    "clock": "t = {t}",
    "speed": "Speed",
    "loop": "Loop",
    "layers_group": "Layers",
    "density_group": "Density scale",
    "density": "density",
    "signed_group": "Colour scale",
    "signed": "value",
    "scale_linear": "linear",
    "scale_sqrt": "square root",
    "scale_log": "logarithmic",
    "signed_sqrt": "signed square root",
    "signed_log": "signed logarithm",
    "scale_all": "same scale for all t",
    "scale_frame": "scale of this frame",
    "png": "Save picture (PNG)",
    "record": "Record film",
    "stop": "Stop recording",
    "no_recording": "This browser cannot record films",
    "pen": "Pen",
    "laser": "Laser",
    "fullscreen": "Full screen",
    "exit_fullscreen": "Leave full screen",
    "help": "Keys",
    "close": "Close",
    "panel": "{title}: {x} from {x0} to {x1}, {y} from {y0} to {y1}",
    "component": "Component {k} of {n}: mean ({x}, {y}), weight {w}",
    "marker": "{name} at ({x}, {y})",
    "box": "{name}: x from {x0} to {x1}, y from {y0} to {y1}, mass {mass}, out {left}, {right}, {bottom}, {top}",
    "edit_group": "Edit component",
    "add": "Add a component",
    "add_hint": "Click where the new component goes",
    "delete": "Delete component",
    "undo": "Undo",
    "heavier": "More weight",
    "lighter": "Less weight",
    "key_play": "play or pause",
    "key_frames": "one frame back or forward",
    "key_ten_frames": "ten frames",
    "key_dark_room": "dark room",
    "key_controls": "controls",
    "key_ends": "start or end",
    "key_zoom": "zoom",
    "key_pan": "pan",
    "key_all": "all",
    "key_fullscreen": "full screen",
    "key_values": "values",
    "key_pen": "pen",
    "key_laser": "laser",
    "key_layers": "show or hide a layer",
    "key_move": "go to a component, move it",
    "key_weight": "weight",
    "key_size": "size",
    "key_turn": "turn",
    "key_delete": "delete",
    "key_undo": "undo",
    "key_add": "double-click: add a component",
    "key_box": "move the box",
    "key_box_size": "resize the box",
}


def english(clip: Clip) -> Labels:
    return Labels.from_mapping(TEXTS, {name: name.capitalize() for name in layer_names(clip)})
