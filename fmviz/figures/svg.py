"""Marks as SVG: no script, no picture in pixels, nothing from elsewhere; text stays text, in the reader's sans serif."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from html import escape

import numpy as np

from fmviz.charts.palette import Theme
from fmviz.figures.marks import Area, Clip, Dots, Floats, Ink, Line, Mark, Words, hex_colour

__all__ = ["write_svg"]

FONT = "Helvetica, Arial, 'Liberation Sans', 'Noto Sans', sans-serif"
PREFIX = "fmviz"
"""Classes and names begin so: a picture within a page shares both with all that is on it."""

_NAME = f"{PREFIX}-clip"


def write_svg(
    marks: Sequence[Mark],
    width: float,
    height: float,
    description: str,
    *,
    theme: Theme = "light",
    both_themes: bool = False,
) -> str:
    """An SVG element.

    Args:
        marks: what is drawn, the last on top.
        width, height: in millimetres.
        description: what a screen reader says.
        theme: the ground it is made for.
        both_themes: whether it changes to dark colours where the reader's system does; `theme` is then the other case.
    """
    writer = _Writer(theme, both_themes)
    body = "".join(writer.mark(mark) for mark in marks)
    # Names within a picture are names of the page it stands on: another picture has others.
    body = body.replace(_NAME, f"{PREFIX}-{zlib.crc32(body.encode()):08x}")
    style = f"<style>@media (prefers-color-scheme: dark){{{writer.dark_rules()}}}</style>" if both_themes else ""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_n(width)}mm" height="{_n(height)}mm" '
        f'viewBox="0 0 {_n(width)} {_n(height)}" role="img" aria-label="{escape(description)}">'
        f"<title>{escape(description)}</title>{style}{body}</svg>"
    )


class _Writer:
    def __init__(self, theme: Theme, both: bool) -> None:
        self._theme, self._both = theme, both
        self._classes: dict[tuple[str, Ink], str] = {}
        self._clips = 0

    def dark_rules(self) -> str:
        """A rule for each class: style sheets win over attributes, which remain where a style sheet is removed."""
        return "".join(
            f".{rule}{{{attribute}:{hex_colour(ink, 'dark')}}}" for (attribute, ink), rule in self._classes.items()
        )

    def mark(self, mark: Mark) -> str:
        match mark:
            case Line():
                dashes = f' stroke-dasharray="{" ".join(map(_n, mark.dashes))}"' if mark.dashes else ""
                paint = self._paint("stroke", mark.ink)
                return (
                    f'<path d="{"".join(_path(line) for line in mark.lines)}" fill="none"{paint} '
                    f'stroke-width="{_n(mark.width)}" stroke-linejoin="round" stroke-linecap="round"{dashes}/>'
                )
            case Area():
                loops = "".join(_path(loop) + "Z" for loop in mark.loops)
                return f'<path d="{loops}" fill-rule="evenodd"{self._paint("fill", mark.ink)}/>'
            case Dots():
                radius = _n(mark.radius)
                dots = "".join(f'<circle cx="{_n(x)}" cy="{_n(y)}" r="{radius}"/>' for x, y in mark.at)
                return f"<g{self._paint('fill', mark.ink)}>{dots}</g>"
            case Words():
                place = f'x="{_n(mark.x)}" y="{_n(mark.y)}" font-size="{_n(mark.size)}" text-anchor="{mark.anchor}"'
                return f'<text {place} font-family="{FONT}"{self._paint("fill", mark.ink)}>{escape(mark.text)}</text>'
            case Clip():
                self._clips += 1
                name = f"{_NAME}-{self._clips}"
                x, y, width, height = map(_n, mark.box)
                inner = "".join(self.mark(part) for part in mark.marks)
                return (
                    f'<clipPath id="{name}"><rect x="{x}" y="{y}" width="{width}" height="{height}"/></clipPath>'
                    f'<g clip-path="url(#{name})">{inner}</g>'
                )

    def _paint(self, attribute: str, ink: Ink) -> str:
        opacity = "" if ink.opacity == 1.0 else f' {attribute}-opacity="{_n(ink.opacity)}"'
        painted = f' {attribute}="{hex_colour(ink, self._theme)}"{opacity}'
        if not self._both:
            return painted
        level = "" if ink.level is None else f"-{round(1000 * ink.level)}"
        kind = f"{PREFIX}-{attribute}-{ink.role}{level}"
        self._classes[attribute, Ink(ink.role, ink.level)] = kind
        return f'{painted} class="{kind}"'


def _path(points: Floats) -> str:
    """Through all points: the first as it is, the others as steps, so that rounding does not add up."""
    steps = np.round(100.0 * points).astype(int)
    moves = np.diff(steps, axis=0)
    return f"M{_n(steps[0, 0] / 100)} {_n(steps[0, 1] / 100)}" + (
        "l" + " ".join(f"{_n(x / 100)} {_n(y / 100)}" for x, y in moves) if len(moves) else ""
    )


def _n(value: float) -> str:
    """A number to a hundredth of a millimetre, as short as can be."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text
