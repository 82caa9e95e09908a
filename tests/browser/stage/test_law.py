"""The closed forms in the browser against torch in float64: presets, schedulers, typed schedules, the ends of time, far points."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from playwright.sync_api import Browser, Page
from torch import Tensor

from fmviz.clips.clip import Extent, Law
from fmviz.clips.laws import law_of, rows_of
from fmviz.clips.particles import marginal_ode
from fmviz.clips.paths import Grid
from fmviz.clips.scales import conditional_top, path_scales
from fmviz.errors import SingularTimeError
from fmviz.stage.assets import law_script
from fmviz.stage.block import Block
from fmviz.stage.layers import law_entry
from fmviz.theory import GaussianMixture, ProbabilityPath, presets, schedulers
from fmviz.theory.guidance import Guidance
from tests.theory import builders

pytestmark = pytest.mark.browser

TIMES = (0.0, 1e-6, 0.1, 0.5, 0.9, 1.0 - 1e-6, 1.0)
Z = (0.7, -0.4)
QUANTITIES = ("velocity", "score", "posterior_mean")
TYPED = (
    ("t**2", "1 - t**2"),
    ("sin(pi*t/2)", "cos(pi*t/2)"),
    ("t", "sqrt(1 - t)"),
    ("min(t, 0.5) + max(t - 0.5, 0)", "(1 - t)*exp(-t)"),
    ("tanh(3*t)/tanh(3)", "1 - log(1 + (e - 1)*t)"),
)

EVALUATE = """({spec, times, points, z}) => {
    const marginal = LAW.makeLaw(spec);
    const laws = {marginal, conditional: LAW.givenPoint(marginal, z)};
    const answers = [];
    for (const [name, law] of Object.entries(laws)) {
        for (const t of times) {
            const found = {name, t};
            const put = (key, make) => {
                try {
                    found[key] = make();
                } catch (error) {
                    if (!(error instanceof LAW.SingularTimeError)) throw error;
                    found[key] = `singular: ${error.quantity}`;
                }
            };
            const each = (make) => points.map(([x, y]) => make(x, y));
            put("log_density", () => { const table = LAW.pairTable(law, t); return each((x, y) => LAW.logDensity(table, x, y)); });
            put("posterior", () => { const table = LAW.pairTable(law, t); return each((x, y) => [...LAW.posterior(table, x, y)]); });
            for (const quantity of ["velocity", "score", "posterior_mean"]) {
                put(quantity, () => {
                    const table = LAW.pairTable(law, t);
                    const maps = LAW.QUANTITY_MAPS[quantity](table);
                    return each((x, y) => { const out = [0, 0]; LAW.average(table, maps, x, y, out, 0); return out; });
                });
            }
            answers.push(found);
        }
    }
    return answers;
}"""


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    """A page that knows the closed forms and nothing else of the player."""
    page = browser.new_page()
    page.add_script_tag(content=law_script() + "\nwindow.LAW = LAW;")
    yield page
    page.close()


def spec_of(law: Law) -> dict[str, Any]:
    """The law as it travels, with its components as rows."""
    entry = law_entry(Block(), law)
    return {
        "init": law.init.tolist(),
        "data": law.data.tolist(),
        "schedule": entry["schedule"],
        "gamma": entry["gamma"],
    }


def near_and_far(path: ProbabilityPath) -> Tensor:
    """Points at some components, between them, outside, and a thousand away, (N, 2)."""
    some = torch.cat((path.p_data.means[::3], path.p_init.means[:2]))
    far = torch.tensor([[1e3, 0.0], [-600.0, 800.0]], dtype=torch.float64)
    return torch.cat((some, builders.points(6, 1), far))


def expected(path: ProbabilityPath, name: str, quantity: str, x: Tensor, t: float) -> Tensor | None:
    """What torch says; None where it has no value."""
    z = torch.tensor(Z, dtype=torch.float64)
    try:
        if name == "marginal":
            method = {"velocity": "marginal_velocity", "score": "marginal_score"}.get(quantity, quantity)
            return getattr(path, method)(x, t)
        if quantity == "posterior":
            path.conditional(z, t)  # where that is a point mass, nothing is asked of it
            return torch.ones(len(x), 1, dtype=torch.float64)
        if quantity == "posterior_mean":
            path.conditional(z, t)
            return z.expand(len(x), 2)
        return getattr(path, f"conditional_{quantity}")(x, t, z)
    except SingularTimeError:
        return None


def worst(page: Page, path: ProbabilityPath) -> float:
    """The largest difference of browser and torch, relative to the value and to what is large there; infinite if one alone is
    singular."""
    x = near_and_far(path)
    given = {"spec": spec_of(law_of(path, Z)), "times": TIMES, "points": x.tolist(), "z": Z}
    largest = 0.0
    for found in page.evaluate(EVALUATE, given):
        for quantity in ("log_density", "posterior", *QUANTITIES):
            wanted = expected(path, found["name"], quantity, x, found["t"])
            if wanted is None or isinstance(found[quantity], str):
                if not (wanted is None and str(found[quantity]).startswith("singular: ")):
                    return math.inf
                continue
            here = torch.tensor(found[quantity], dtype=torch.float64)
            scale = wanted.abs() + 1.0
            if quantity == "score":  # what it multiplies is known to so many digits only
                scale = scale + float(path.stiffness(found["t"]))
            largest = max(largest, float(((here - wanted).abs() / scale).max()))
    return largest


@pytest.mark.parametrize("scheduler", [*schedulers.NAMES, *range(len(TYPED))])
def test_every_preset_and_scheduler(page: Page, scheduler: str | int) -> None:
    schedule = schedulers.custom(*TYPED[scheduler]) if isinstance(scheduler, int) else schedulers.get(scheduler)
    names = presets.names() if isinstance(scheduler, str) else ("ring5", "pinwheel")
    for name in names:
        path = ProbabilityPath(builders.standard(), presets.get(name).to(torch.float64), schedule)
        assert worst(page, path) < 1e-9, name


@pytest.mark.parametrize("scheduler", schedulers.NAMES)
def test_mixtures_as_sources_and_full_covariances(page: Page, scheduler: str) -> None:
    for init, data in ((5, 7), (64, 64), (1, 3)):
        path = ProbabilityPath(
            builders.random_mixture(init, 3), builders.random_mixture(data, 4), schedulers.get(scheduler)
        )
        assert worst(page, path) < 1e-9, (init, data)


@pytest.mark.parametrize("gamma", [0.3, 2.0])
def test_noise_in_between(page: Page, gamma: float) -> None:
    source, data = builders.random_mixture(5, 3), builders.random_mixture(7, 4)
    for name in ("linear", "trig"):
        assert worst(page, ProbabilityPath(source, data, schedulers.get(name), gamma=gamma)) < 1e-9, name


def test_narrow_components(page: Page) -> None:
    """Variances of 1e-6 beside ordinary ones, in the data and in the source.

    With narrow components on both sides exponents are of the order of 1e6, of which a double keeps ten digits after the
    point, so that torch itself is no better than that there.
    """
    means = torch.tensor([[1.0, 1.0], [-2.0, 0.5], [0.3, -1.2]], dtype=torch.float64)
    variances = torch.tensor([1e-6, 0.09, 1e-6], dtype=torch.float64)
    covariances = variances[:, None, None] * torch.eye(2, dtype=torch.float64)
    narrow = GaussianMixture(means, covariances, torch.ones(3, dtype=torch.float64))
    for init, name in itertools.product((builders.standard(), narrow), schedulers.NAMES):
        tolerance = 1e-9 if init is not narrow else 5e-9
        assert worst(page, ProbabilityPath(init, narrow, schedulers.get(name))) < tolerance, name


def test_a_singular_time_is_named(page: Page) -> None:
    """The square root scheduler is infinitely fast at t = 1, unless the source is centred."""
    shifted = GaussianMixture(torch.tensor([[1.0, 0.0]]).double(), torch.eye(2).double()[None], torch.ones(1).double())
    path = ProbabilityPath(shifted, builders.random_mixture(2, 0), schedulers.get("sqrt"))
    given = {"spec": spec_of(law_of(path, Z)), "times": [1.0], "points": [[0.0, 0.0]], "z": Z}
    marginal, conditional = page.evaluate(EVALUATE, given)
    assert marginal["velocity"] == "singular: velocity"
    assert isinstance(marginal["score"], list)
    assert conditional["log_density"] == "singular: density"


GRID = """({spec, t, window, columns, rows, top}) => {
    const table = LAW.pairTable(LAW.makeLaw(spec), t);
    const cells = columns * rows;
    const [codes, sums] = [new Uint16Array(cells), new Float64Array(cells)];
    LAW.gridCodes(table, window, columns, rows, top, 30, codes, sums);
    return {codes: [...codes], logs: [...sums].map((sum) => Math.log(sum) + top)};
}"""


@pytest.mark.parametrize("names", [("circles", "checkerboard"), ("ring8", "grid"), ("spiral", "pinwheel")])
@pytest.mark.parametrize("window", [(-4.5, 4.5, -4.5, 4.5), (1.9, 2.1, -0.3, -0.1)])
def test_the_grid_is_the_density(page: Page, names: tuple[str, str], window: tuple[float, ...]) -> None:
    """Wherever a colour shows, that is within 30 nats of the top; and the codes are what those logarithms become."""
    init, data = (presets.get(name).to(torch.float64) for name in names)
    path = ProbabilityPath(init, data, schedulers.get("linear"))
    columns, rows = 48, 40
    x0, x1, y0, y1 = window
    x = x0 + (np.arange(columns) + 0.5) * (x1 - x0) / columns
    y = y0 + (np.arange(rows) + 0.5) * (y1 - y0) / rows
    points = torch.from_numpy(np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2))
    for t in (0.0, 0.35, 0.98, 1.0):
        wanted = path.log_density(points, t).numpy()
        top = float(wanted.max())
        given = {"spec": spec_of(law_of(path, Z)), "t": t, "window": window, "columns": columns, "rows": rows}
        found = page.evaluate(GRID, given | {"top": top})
        seen = wanted > top - 30
        # a relative error of the density is the error of its logarithm
        assert np.abs(np.array(found["logs"])[seen] - wanted[seen]).max() < 1e-8
        codes = np.clip(1 + (wanted - top + 30) * 65534 / 30, 0, 65535)
        assert np.abs(np.array(found["codes"]) - np.where(codes > 1, codes, 0)).max() <= 1.01


def test_trajectories_are_those_of_heun(page: Page) -> None:
    """The same method as on the server, one step a frame."""
    path = ProbabilityPath(builders.standard(), presets.get("ring8").to(torch.float64), schedulers.get("linear"))
    starts, times = builders.points(20, 5), torch.linspace(0, 1, 31, dtype=torch.float64)
    wanted = marginal_ode(path, starts, times)
    script = """({spec, times, starts}) => [...LAW.heunTrajectories(LAW.makeLaw(spec), times, Float32Array.from(starts), 20)]"""
    given = {"spec": spec_of(law_of(path, Z)), "times": times.tolist(), "starts": starts.flatten().tolist()}
    found = np.array(page.evaluate(script, given)).reshape(31, 20, 2)
    np.testing.assert_allclose(found, wanted.numpy(), atol=2e-5)  # positions are kept in float32


@pytest.mark.parametrize("names", [("standard", "ring8"), ("circles", "checkerboard")])
def test_scales_of_a_law_changed_in_the_browser(page: Page, names: tuple[str, str]) -> None:
    """The top of the colours and the length of the arrows follow the server's rules."""
    init = builders.standard() if names[0] == "standard" else presets.get(names[0]).to(torch.float64)
    path = ProbabilityPath(init, presets.get(names[1]).to(torch.float64), schedulers.get("trig"))
    grid = Grid(Extent(-4.5, 4.5, -4.5, 4.5))
    wanted = path_scales(path, grid.extent, 20, grid.frames)
    script = """({spec, z}) => {
        const law = LAW.makeLaw(spec);
        const window = [-4.5, 4.5, -4.5, 4.5];
        return [LAW.densityTop(law, 61), LAW.arrowScale(law, "velocity", window, 20, 61),
            LAW.arrowScale(law, "score", window, 20, 61), LAW.conditionalTop(LAW.givenPoint(law, z))];
    }"""
    found = page.evaluate(script, {"spec": spec_of(law_of(path, Z)), "z": Z})
    scales = (wanted.log_max, wanted.velocity, wanted.score, conditional_top(path.to(torch.float64), Z))
    np.testing.assert_allclose(found, scales, rtol=1e-5)


def test_rows_of_a_mixture() -> None:
    rows = rows_of(builders.random_mixture(4, 1))
    assert rows.shape == (4, 6)
    assert rows[:, 0].sum() == pytest.approx(1.0)


GUIDED = """({spec, times, points}) => {
    const law = LAW.guidedLaw(LAW.makeLaw(spec), spec.guide);
    return times.map((t) => {
        const table = LAW.tableOf(law, t);
        const vectors = (quantity) => {
            const field = LAW.fieldOf(table, quantity);
            return points.map(([x, y]) => { const out = [0, 0]; field(x, y, out, 0); return out; });
        };
        return {
            velocity: vectors("velocity"), score: vectors("score"), difference: vectors("difference"),
            log_tilted: points.map(([x, y]) => LAW.logTilted(table, x, y)),
            log_classifier: points.map(([x, y]) => LAW.logClassifier(table, x, y)),
            label: points.map(([x, y]) => LAW.logDensity(LAW.tableOf(law.own, t), x, y)),
        };
    });
}"""


def labelled(init: GaussianMixture, scheduler: str) -> ProbabilityPath:
    """Seven components with three labels, one of a single component."""
    data = builders.random_mixture(7, 4)
    labels = torch.tensor([5, 1, 1, 0, 5, 1, 5])
    return ProbabilityPath(
        init, GaussianMixture(data.means, data.covariances, data.weights, labels), schedulers.get(scheduler)
    )


@pytest.mark.parametrize("scale", [-0.5, 0.0, 1.0, 2.5])
@pytest.mark.parametrize(("label", "interval"), [(0, (0.0, 1.0)), (5, (0.2, 0.6))])
def test_guidance(page: Page, scale: float, label: int, interval: tuple[float, float]) -> None:
    for init, scheduler in ((builders.standard(), "linear"), (builders.random_mixture(2, 3), "trig")):
        path = labelled(init, scheduler)
        guidance = Guidance(path, label, scale, interval)
        law = law_of(path, guidance=guidance)
        data = [[*row, k] for row, k in zip(law.data.tolist(), path.p_data.labels.tolist(), strict=True)]
        spec = spec_of(law) | {"data": data, "guide": law_entry(Block(), law)["guide"]}
        x = torch.cat((path.p_data.means, builders.points(8, 1)))
        times = (0.0, 0.2, 0.5, 0.6, 0.9, 1.0)
        for t, found in zip(
            times, page.evaluate(GUIDED, {"spec": spec, "times": times, "points": x.tolist()}), strict=True
        ):
            wanted = {name: getattr(guidance, name)(x, t) for name in found if name != "label"}
            wanted["label"] = guidance.conditional.log_density(x, t)
            for name, value in wanted.items():
                gap = (torch.tensor(found[name], dtype=torch.float64) - value).abs() / (value.abs() + 1.0)
                assert float(gap.max()) < 1e-9, (name, t)


def test_the_tilted_law_has_mass_one_in_its_extent(page: Page) -> None:
    path = labelled(builders.standard(), "linear")
    guidance = Guidance(path, 5, 2.5)
    law = law_of(path, guidance=guidance)
    data = [[*row, k] for row, k in zip(law.data.tolist(), path.p_data.labels.tolist(), strict=True)]
    spec = spec_of(law) | {"data": data, "guide": law_entry(Block(), law)["guide"]}
    script = """({spec, side}) => {
        const table = LAW.tableOf(LAW.guidedLaw(LAW.makeLaw(spec), spec.guide), 0.6);
        const window = [-6, 6, -6, 6];
        const codes = LAW.valueCodes(table, "tilted", window, window, side, side, 0, 30, new Uint16Array(side * side), null);
        return codes.reduce((sum, code) => sum + (code ? Math.exp((code - 1) * 30 / 65534 - 30) : 0), 0);
    }"""
    side = 120
    assert page.evaluate(script, {"spec": spec, "side": side}) * (12 / side) ** 2 == pytest.approx(1.0, abs=1e-3)
