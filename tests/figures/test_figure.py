"""Figures for papers: what they show, their sizes, and the two ways of writing them."""

import re
import xml.etree.ElementTree as ET
import zlib

import numpy as np
import pytest
import torch

import fmviz
from fmviz.charts.palette import ROLE_COLOURS
from fmviz.errors import ParameterError, SingularTimeError
from fmviz.figures.figure import LAYERS
from fmviz.figures.marks import Area, Clip, Dots, Line, Mark, Words
from fmviz.figures.panels import Panel, nice_numbers
from fmviz.theory import GaussianMixture, ProbabilityPath, presets, schedulers

PATH = ProbabilityPath(GaussianMixture.standard(), presets.get("moons"), schedulers.get("linear"))
SVG = "{http://www.w3.org/2000/svg}"


def flat(marks: tuple[Mark, ...] | list[Mark]) -> list[Mark]:
    found: list[Mark] = []
    for mark in marks:
        found += flat(list(mark.marks)) if isinstance(mark, Clip) else [mark]
    return found


def clips(figure: fmviz.figures.figure.Figure) -> list[Clip]:
    return [mark for mark in figure.marks if isinstance(mark, Clip)]


def test_the_size_is_in_millimetres_and_the_panels_fill_it():
    found = fmviz.figure(PATH, (0.1, 0.5, 0.9), "density", width=90, extent=(-2, 2, -1, 1))
    root = ET.fromstring(found.svg)
    assert root.attrib["width"] == "90mm"
    assert root.attrib["height"] == f"{found.height:.2f}mm".replace(".00", "").rstrip("0")
    boxes = [clip.box for clip in clips(found)]
    assert boxes[-1][0] + boxes[-1][2] == pytest.approx(89.0)
    assert all(box[2] == pytest.approx(2 * box[3]) for box in boxes), "units of the plane are as high as they are wide"
    words = [mark.text for mark in flat(found.marks) if isinstance(mark, Words)]
    assert [text for text in words if text.startswith("t")] == ["t = 0.1", "t = 0.5", "t = 0.9"]


def test_columns_wrap():
    found = fmviz.figure(PATH, [i / 6 for i in range(7)], "density", columns=3)
    boxes = [clip.box for clip in clips(found)]
    assert len({box[0] for box in boxes}) == 3
    assert len({box[1] for box in boxes}) == 3


def test_particles_are_the_flow_of_the_seed():
    found = fmviz.figure(PATH, (0.0, 0.7), "particles", particles=20, seed=3, width=80, extent=4.0)
    dots = [clip.marks[0] for clip in clips(found)]
    x0 = PATH.p_init.to(torch.float64).sample(20, generator=torch.Generator().manual_seed(3))
    exact, _ = fmviz.solve_ode(PATH.marginal_velocity, x0, method="dopri5", times=[0.0, 0.7])
    for clip, dot, points in zip(clips(found), dots, exact, strict=True):
        assert isinstance(dot, Dots)
        left, top, width, _ = clip.box
        there = left + (points.numpy() * [1, -1] + 4.0) * width / 8.0 + [0.0, top - left]
        assert np.abs(dot.at - there).max() < 0.02, "millimetres"


def test_arrows_point_along_the_field_and_share_one_scale():
    found = fmviz.figure(PATH, (0.2, 0.8), "velocity", width=100, extent=3.0)
    lengths, speeds = [], []
    for clip, t in zip(clips(found), (0.2, 0.8), strict=True):
        shafts, heads = clip.marks
        assert isinstance(shafts, Line)
        assert isinstance(heads, Area)
        panel = Panel((-3, 3, -3, 3), *clip.box[:3])
        for shaft, head in zip(shafts.lines, heads.loops, strict=True):
            middle = 0.5 * (shaft[0] + head[0])
            x = (middle - [clip.box[0], clip.box[1]]) / panel.scale * [1, -1] + [-3, 3]
            u = PATH.marginal_velocity(x[None], t)[0].numpy()
            step = (head[0] - shaft[0]) * [1, -1]
            assert np.dot(step, u) > 0.999 * np.hypot(*step) * np.hypot(*u)
            lengths.append(np.hypot(*step))
            speeds.append(np.hypot(*u))
    ratio = np.array(lengths) / np.array(speeds)
    longest = 1.4 * clips(found)[0].box[2] / 15
    free = np.array(lengths) < 0.99 * longest
    assert free.sum() > 100
    assert ratio[free].std() < 1e-3 * ratio[free].mean()


def test_areas_are_the_levels_of_the_density():
    (clip,) = clips(fmviz.figure(PATH, 0.6, "density", width=60, extent=3.0))
    _, *areas = clip.marks
    levels = [area.ink.level for area in areas if isinstance(area, Area)]
    assert levels == sorted(levels)
    panel = Panel((-3, 3, -3, 3), *clip.box[:3])
    values = [
        PATH.log_density(
            (np.concatenate(area.loops) - [clip.box[0], clip.box[1]]) / panel.scale * [1, -1] + [-3, 3], 0.6
        )
        for area in areas
        if isinstance(area, Area)
    ]
    heights = [float(value.exp().median()) for value in values]
    assert all(float(v.exp().std()) < 0.03 * float(v.exp().mean()) for v in values), "each along one height"
    assert np.array(heights) / heights[0] == pytest.approx((np.array(levels) / levels[0]) ** 2, rel=0.02)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_colours_are_those_of_the_palette(theme):
    svg = fmviz.figure(PATH, 0.5, LAYERS, theme=theme, particles=10, width=60).svg
    for role in ("ode", "velocity", "score", "init", "path"):
        assert getattr(ROLE_COLOURS[role], theme) in svg, role
        assert getattr(ROLE_COLOURS[role], "dark" if theme == "light" else "light") not in svg
    assert not re.search(r"<(script|image|style|foreignObject)|href", svg)


def test_a_figure_is_the_same_when_made_again():
    first, again = (fmviz.figure(PATH, (0.3, 1.0), LAYERS, particles=30) for _ in range(2))
    assert first.svg == again.svg
    assert first.pdf == again.pdf
    assert first.svg != fmviz.figure(PATH, (0.3, 1.0), LAYERS, particles=30, seed=1).svg


def test_a_pdf_has_the_size_and_an_embedded_font_and_nothing_in_pixels(tmp_path):
    found = fmviz.figure(PATH, (0.3, 1.0), LAYERS, width=85, particles=30)
    file = found.save(tmp_path / "figure.pdf")
    pdf = file.read_bytes()
    assert pdf.startswith(b"%PDF-")
    width, height = map(float, re.search(rb"/MediaBox \[ 0 0 ([\d.]+) ([\d.]+) \]", pdf).groups())
    assert width == pytest.approx(85 / 25.4 * 72, abs=0.01)
    assert height == pytest.approx(found.height / 25.4 * 72, abs=0.01)
    assert re.search(rb"/BaseFont /\w*\+?BitstreamVera", pdf)
    assert b"/FontFile2" in pdf
    assert b"/Subtype /Image" not in pdf


def test_saving(tmp_path):
    found = fmviz.figure(PATH, 1.0, "contours", width=40)
    assert found.save(tmp_path / "a.svg").read_text(encoding="utf-8") == found.svg
    with pytest.raises(ParameterError, match=r"\.svg or \.pdf"):
        found.save(tmp_path / "a.png")
    assert list(tmp_path.iterdir()) == [tmp_path / "a.svg"]


def test_a_figure_without_reportlab_is_still_an_svg(fresh):
    run = """
import sys
sys.modules["reportlab"] = None
import fmviz
path = fmviz.ProbabilityPath(fmviz.GaussianMixture.standard(), fmviz.presets.get("moons"), fmviz.schedulers.get("linear"))
figure = fmviz.figure(path, 0.5, "density")
assert figure.svg.startswith("<svg")
try:
    figure.pdf
except fmviz.FmvizError as error:
    print(error)
"""
    assert fresh.printed(run) == 'a PDF needs reportlab: pip install "fmviz[pdf]"\n'


WRONG = {
    "layers": ["nonsense", [], ["density", "more"]],
    "times": [[], [0.5, 1.5], float("nan"), [i / 30 for i in range(30)], "now"],
    "width": [5.0, 1e9, float("nan")],
    "columns": [0, 2.5, 24],
    "extent": [0.0, -1.0, (1, 0, 0, 1), (0, 1, 2), (0, 1e9, 0, 1), float("inf")],
    "particles": [0, 10**9, True],
    "theme": ["blue"],
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_argument_is_named(name):
    for wrong in WRONG[name]:
        more = {"times": [0.1] * 24} if wrong == 24 else {}
        with pytest.raises(ParameterError, match=f"^{name}: expected"):
            fmviz.figure(PATH, **{name: wrong} | more)


def test_a_velocity_that_is_infinite_is_named():
    source = presets.get("two_modes")
    path = ProbabilityPath(source, presets.get("moons"), schedulers.get("sqrt"))
    with pytest.raises(SingularTimeError):
        fmviz.figure(path, 1.0, "velocity")
    assert fmviz.figure(path, 1.0, "density").svg


def test_numbers_of_an_axis_are_round():
    assert list(nice_numbers(-3.5, 3.5)) == [-2.0, 0.0, 2.0]
    assert list(nice_numbers(0.0, 1.0)) == pytest.approx([0.0, 0.5, 1.0])
    assert list(nice_numbers(-0.02, 0.02)) == pytest.approx([-0.02, -0.01, 0.0, 0.01, 0.02])


def test_a_figure_is_small():
    """A page of a paper holds several."""
    found = fmviz.figure(PATH)
    assert len(found.svg) < 200_000
    assert len(zlib.compress(found.svg.encode())) < 60_000
