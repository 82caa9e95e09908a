"""The palette and the Streamlit theme are one, legible, and told apart by everybody."""

from __future__ import annotations

import itertools
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from fmviz.charts.palette import (
    DENSITY_DARK,
    DENSITY_LIGHT,
    DIVERGING_DARK,
    DIVERGING_LIGHT,
    ROLE_COLOURS,
    colour,
)

ROOT = Path(__file__).resolve().parent.parent.parent
THEMES = ("light", "dark")
NAMED = ("red", "orange", "yellow", "green", "blue", "violet", "gray")

WCAG_AA = 4.5
"""Contrast of small text with its ground (WCAG 2.2, success criterion 1.4.3)."""

WCAG_PARTS = 3.0
"""Contrast of what is not text but must be seen (1.4.11)."""

TOLD_APART = 10.0
"""Smallest distance of two quantities in CIELAB (CIE76). About 2.3 is just noticeable side by side; thin lines need more."""

# Machado, Oliveira and Fernandes 2009, severity 1, on linear sRGB.
VISION = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}
TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
WHITE = TO_XYZ.sum(axis=1)


def linear(hexadecimal: str) -> NDArray[np.float64]:
    c = np.array([int(hexadecimal[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def contrast(a: str, b: str) -> float:
    low, high = sorted(float(TO_XYZ[1] @ linear(h)) for h in (a, b))
    return (high + 0.05) / (low + 0.05)


def lab(rgb: NDArray[np.float64]) -> NDArray[np.float64]:
    x = TO_XYZ @ np.clip(rgb, 0, 1) / WHITE
    f = np.where(x > (6 / 29) ** 3, np.cbrt(x), x / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.fixture(scope="module")
def config() -> dict[str, Any]:
    return tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())


@pytest.mark.parametrize("theme", THEMES)
def test_the_theme_has_the_palettes_colours(config: dict[str, Any], theme: Any) -> None:
    section = config["theme"][theme]
    by_name = {entry.name: colour(role, theme) for role, entry in ROLE_COLOURS.items()}
    assert set(by_name) == {*NAMED, "text"}
    for name in NAMED:
        assert section[f"{name}Color"] == by_name[name]
        assert section[f"{name}TextColor"] == by_name[name], "`:red[...]` in a formula's caption uses the text colour"
    assert section["textColor"] == by_name["text"]
    assert set(section["chartCategoricalColors"]) == {by_name[name] for name in NAMED}
    assert section["backgroundColor"] == (DENSITY_LIGHT if theme == "light" else DENSITY_DARK)[0]
    assert len(section["chartSequentialColors"]) == len(section["chartDivergingColors"]) == 10


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("role", ROLE_COLOURS)
def test_colours_are_legible_on_every_background(config: dict[str, Any], theme: Any, role: str) -> None:
    section = config["theme"][theme]
    for ground in (section["backgroundColor"], section["secondaryBackgroundColor"]):
        assert contrast(colour(role, theme), ground) >= WCAG_AA


@pytest.mark.parametrize("theme", THEMES)
def test_accent_and_text_can_be_read(config: dict[str, Any], theme: str) -> None:
    section = config["theme"][theme]
    assert contrast(section["primaryColor"], "#ffffff") >= WCAG_AA, "white label of a primary button"
    for ground in (section["backgroundColor"], section["secondaryBackgroundColor"]):
        assert contrast(section["textColor"], ground) >= WCAG_AA
        assert contrast(section["linkColor"], ground) >= WCAG_AA
        assert contrast(section["primaryColor"], ground) >= WCAG_PARTS


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("vision", VISION)
def test_quantities_are_told_apart(config: dict[str, Any], theme: Any, vision: str) -> None:
    seen = {entry.name: lab(VISION[vision] @ linear(colour(role, theme))) for role, entry in ROLE_COLOURS.items()}
    too_near = {
        (a, b): round(float(np.linalg.norm(seen[a] - seen[b])), 1)
        for a, b in itertools.combinations(seen, 2)
        if np.linalg.norm(seen[a] - seen[b]) < TOLD_APART
    }
    assert not too_near


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("vision", VISION)
def test_a_signed_field_reads_from_the_middle_outwards(config: dict[str, Any], theme: Any, vision: str) -> None:
    ramp = DIVERGING_LIGHT if theme == "light" else DIVERGING_DARK
    section = config["theme"][theme]
    assert ramp[5] == section["backgroundColor"], "zero looks like the page"
    assert (*ramp[:5], *ramp[6:]) == tuple(section["chartDivergingColors"])
    seen = np.array([lab(VISION[vision] @ linear(colour)) for colour in ramp])
    from_zero = np.linalg.norm(seen - seen[5], axis=1)
    assert (np.diff(from_zero[5:]) > 3).all()
    assert (np.diff(from_zero[5::-1]) > 3).all()
    for step in range(2, 6):
        assert np.linalg.norm(seen[5 + step] - seen[5 - step]) >= TOLD_APART, "which sign"
    assert 0.6 < from_zero[0] / from_zero[-1] < 1 / 0.6, "no sign looks much the stronger one"


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("vision", VISION)
def test_solvers_are_told_apart(theme: Any, vision: str) -> None:
    names = ("euler", "midpoint", "heun", "rk4", "ode")
    seen = [lab(VISION[vision] @ linear(colour(role, theme))) for role in names]
    assert min(np.linalg.norm(a - b) for a, b in itertools.combinations(seen, 2)) >= TOLD_APART


@pytest.mark.parametrize("theme", THEMES)
def test_the_sidebars_accent_can_be_read_as_text(config: dict[str, Any], theme: str) -> None:
    section = config["theme"][theme]
    accent = section["sidebar"].get("primaryColor", section["primaryColor"])
    for ground in (section["sidebar"]["backgroundColor"], section["sidebar"]["secondaryBackgroundColor"]):
        assert contrast(accent, ground) >= WCAG_AA


def test_the_accent_is_no_quantitys_colour(config: dict[str, Any]) -> None:
    for theme in THEMES:
        accent = lab(linear(config["theme"][theme]["primaryColor"]))
        assert min(np.linalg.norm(accent - lab(linear(colour(role, theme)))) for role in ROLE_COLOURS) >= TOLD_APART


def test_nothing_is_fetched_from_the_network() -> None:
    assert "http" not in (ROOT / ".streamlit" / "config.toml").read_text()
