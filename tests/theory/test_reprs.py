"""Objects of the library show themselves in one line that helps, and some with a small picture."""

import dataclasses
import importlib
import inspect
import pkgutil
import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser

import pytest
import torch

import fmviz.learning
import fmviz.theory
from fmviz.charts.palette import DENSITY_DARK, DENSITY_LIGHT, ROLE_COLOURS
from fmviz.figures import small
from fmviz.home import HOME
from fmviz.learning import TrainSpec, train
from fmviz.learning.evaluation import Evaluation
from fmviz.learning.networks import ACTIVATIONS
from fmviz.learning.training import Trainer
from fmviz.theory import GaussianMixture, ProbabilityPath, presets, schedulers, sigmas
from fmviz.theory.couplings import gaussian_map
from fmviz.theory.flows import Marginal
from fmviz.theory.guidance import Guidance, simulate_weighted
from fmviz.theory.pair_field import PairField

NORMAL = GaussianMixture.standard()
MOONS = presets.get("moons")
PATH = ProbabilityPath(NORMAL, MOONS, schedulers.get("sqrt"))
X = torch.zeros(3, 2)


def public_dataclasses() -> list[type]:
    found = []
    for package in (fmviz.theory, fmviz.learning):
        for module in pkgutil.iter_modules(package.__path__, package.__name__ + "."):
            for name, kind in vars(importlib.import_module(module.name)).items():
                own = inspect.isclass(kind) and kind.__module__ == module.name and not name.startswith("_")
                if own and dataclasses.is_dataclass(kind):
                    found.append(kind)
    return found


@pytest.mark.parametrize("kind", public_dataclasses(), ids=lambda kind: f"{kind.__module__}.{kind.__name__}")
def test_no_dataclass_prints_its_arrays(kind):
    """The repr that `dataclass` writes prints every number of every array."""
    of_arrays = [
        f.name
        for f in dataclasses.fields(kind)
        if f.repr and re.search("Tensor|NDArray|Mixture|MLP|Report", str(f.type))
    ]
    if of_arrays:
        assert kind.__repr__.__code__.co_filename.startswith(str(HOME)), of_arrays


def snapshot():
    return next(train(PATH, TrainSpec(hidden=(4,), batch_size=4, steps=2, seed=0)))


SHOWN = {
    "normal": (NORMAL, "<GaussianMixture: N(0, I)>"),
    "moons": (MOONS, "<GaussianMixture: 28 components in 2 classes, mean (0, 0)>"),
    "double": (
        MOONS.to(torch.float64).given(0),
        "<GaussianMixture: 14 components in 1 class, mean (-1, 0.93), float64>",
    ),
    "path": (PATH, f"ProbabilityPath({NORMAL!r}, {MOONS!r}, SquareRoot())"),
    "interpolant": (
        dataclasses.replace(PATH, gamma=0.5),
        f"ProbabilityPath({NORMAL!r}, {MOONS!r}, SquareRoot(), gamma=0.5)",
    ),
    "guidance": (Guidance(PATH, 1, 2.5), f"<Guidance: label 1, scale 2.5, of {PATH!r}>"),
    "scheduler": (schedulers.custom("t", "1-t"), "Custom(alpha_text='t', beta_text='1-t')"),
    "sigma": (sigmas.get("bump", 2.0), "Sigma(kind='bump', amplitude=2.0, scheduler=None, cap=5.0)"),
    "pairs": (PairField(X, X, 0.1), "PairField(x0=<(3, 2) float32>, z=<(3, 2) float32>, blur=0.1, gamma=0)"),
    "map": (
        gaussian_map(NORMAL, NORMAL),
        "GaussianMap(matrix=<(2, 2) float64>, source=<(2,) float64>, target=<(2,) float64>, cost=0)",
    ),
    "values": (schedulers.get("linear").evaluate(torch.tensor(0.25)), None),
    "weighted": (simulate_weighted(Guidance(PATH, 1, 2.0), X, times=[0.0, 0.5]), None),
    "field": (Marginal(PATH), None),
    "drift": (PATH.sde_drift(sigmas.get("zero")), None),
    "snapshot": (snapshot(), None),
    "model": (snapshot().model, None),
    "trainer": (Trainer(PATH, TrainSpec(steps=7)), "<Trainer: step 0 of 7, cfm>"),
    "evaluation": (Evaluation(PATH, points=64, bins=4), f"<Evaluation: 64 points, 4 bins, of {PATH!r}>"),
    "activation": (ACTIVATIONS["silu"], "SiLU()"),
    "network": (snapshot().model.network, "<MLP: 4, silu, 58 weights, float32>"),
}


@pytest.mark.parametrize("name", SHOWN)
def test_a_repr_is_one_line(name):
    thing, line = SHOWN[name]
    assert len(repr(thing)) < 400
    assert "\n" not in repr(thing)
    assert "tensor(" not in repr(thing)
    if line is not None:
        assert repr(thing) == line


class Tags(HTMLParser):
    """The tags and the attributes of a document."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs


@pytest.mark.parametrize(
    "thing", [NORMAL, MOONS, PATH, schedulers.get("linear"), schedulers.get("vp"), schedulers.custom("t", "sqrt(1-t)")]
)
def test_a_notebook_shows_a_picture_of_its_own(thing):
    html = thing._repr_html_()
    seen = Tags(html)
    assert "svg" in seen.tags
    assert not {"script", "img", "image", "iframe", "link", "foreignobject", "use"} & set(seen.tags)
    assert not [name for name, value in seen.attributes if name.startswith("on") or "href" in name]
    assert "url(http" not in html
    assert len(html) < 60_000
    root = ET.fromstring(re.search(r"<svg.*</svg>", html).group())
    assert root.attrib["aria-label"] == repr(thing), "a screen reader says what the line says"


def test_both_themes_and_every_class_within_the_picture():
    html = PATH._repr_html_()
    (dark,) = re.findall(r"<style>@media \(prefers-color-scheme: dark\)\{(.*?)\}</style>", html)
    rules = dict(re.findall(r"\.([\w-]+)\{\w+:(#[0-9a-f]{6})\}", dark))
    used = set(re.findall(r'class="([^"]+)"', html))
    assert used == set(rules)
    assert all(name.startswith("fmviz-") for name in used)
    assert rules["fmviz-stroke-init"] == ROLE_COLOURS["init"].dark
    assert f'stroke="{ROLE_COLOURS["init"].light}"' in html
    assert rules["fmviz-fill-path-0"] == DENSITY_DARK[0]
    assert f'fill="{DENSITY_LIGHT[0]}"' in html


def test_two_pictures_on_one_page_share_no_name():
    names = [set(re.findall(r'id="([^"]+)"', thing._repr_html_())) for thing in (NORMAL, MOONS, PATH)]
    assert all(names)
    assert not names[0] & names[1]
    assert not names[1] & names[2]
    assert MOONS._repr_html_() == MOONS._repr_html_(), "a notebook that is run again does not differ"


def test_a_path_with_very_many_pairs_shows_its_ends():
    many = ProbabilityPath(presets.get("checkerboard"), presets.get("spiral"), schedulers.get("linear"))
    assert many.n_pairs > small.MOST_COMPONENTS
    assert "t = 1" in many._repr_html_()
    assert "t = 0.5" not in many._repr_html_()


def test_what_has_no_picture_has_none():
    assert small.html(3.0) is None
