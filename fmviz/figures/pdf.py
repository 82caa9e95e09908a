"""Marks as a PDF of one page, by reportlab: pure Python, and with a font of its own that it embeds."""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import cache
from typing import Any

from fmviz.charts.palette import Theme
from fmviz.errors import FmvizError
from fmviz.figures.marks import Area, Clip, Dots, Floats, Ink, Line, Mark, Words, hex_colour

__all__ = ["write_pdf"]

POINTS = 72.0 / 25.4
"""In one millimetre."""
FONT = "Vera"
_ROUND = 1
"""Ends and joins of lines."""
_EVEN_ODD = 0


def write_pdf(marks: Sequence[Mark], width: float, height: float, description: str, *, theme: Theme = "light") -> bytes:
    """A PDF of one page; the same marks give the same bytes.

    Args:
        marks: what is drawn, the last on top.
        width, height: of the page, in millimetres.
        description: its title.
        theme: the ground it is made for.

    Raises:
        FmvizError: reportlab is not installed.
    """
    _register_font()
    from reportlab.pdfgen.canvas import Canvas  # type: ignore[import-untyped, unused-ignore]

    file = io.BytesIO()
    canvas = Canvas(file, pagesize=(width * POINTS, height * POINTS), invariant=1, pageCompression=1)
    canvas.setTitle(description)
    # Millimetres from the upper left corner, as the marks have them.
    canvas.transform(POINTS, 0, 0, -POINTS, 0, height * POINTS)
    canvas.setLineCap(_ROUND)
    canvas.setLineJoin(_ROUND)
    for mark in marks:
        _draw(canvas, mark, theme)
    canvas.showPage()
    canvas.save()
    return file.getvalue()


@cache
def _register_font() -> None:
    try:
        from reportlab.pdfbase import pdfmetrics  # type: ignore[import-untyped, unused-ignore]
        from reportlab.pdfbase.ttfonts import TTFont  # type: ignore[import-untyped, unused-ignore]
    except ImportError:
        raise FmvizError('a PDF needs reportlab: pip install "fmviz[pdf]"') from None
    pdfmetrics.registerFont(TTFont(FONT, f"{FONT}.ttf"))


def _draw(canvas: Any, mark: Mark, theme: Theme) -> None:
    match mark:
        case Line():
            _stroke(canvas, mark.ink, mark.width, theme)
            canvas.setDash(*((list(mark.dashes), 0) if mark.dashes else ()))
            canvas.drawPath(_path(canvas, mark.lines, closed=False), stroke=1, fill=0)
        case Area():
            canvas.setFillColor(hex_colour(mark.ink, theme), alpha=mark.ink.opacity)
            canvas.drawPath(_path(canvas, mark.loops, closed=True), stroke=0, fill=1, fillMode=_EVEN_ODD)
        case Dots():
            canvas.setFillColor(hex_colour(mark.ink, theme), alpha=mark.ink.opacity)
            for x, y in mark.at.tolist():
                canvas.circle(x, y, mark.radius, stroke=0, fill=1)
        case Words():
            canvas.saveState()
            canvas.translate(mark.x, mark.y)
            canvas.scale(1, -1)
            canvas.setFont(FONT, mark.size)
            canvas.setFillColor(hex_colour(mark.ink, theme), alpha=mark.ink.opacity)
            draw = {
                "start": canvas.drawString,
                "middle": canvas.drawCentredString,
                "end": canvas.drawRightString,
            }[mark.anchor]
            draw(0, 0, mark.text)
            canvas.restoreState()
        case Clip():
            canvas.saveState()
            box = canvas.beginPath()
            box.rect(*mark.box)
            canvas.clipPath(box, stroke=0, fill=0)
            for part in mark.marks:
                _draw(canvas, part, theme)
            canvas.restoreState()


def _stroke(canvas: Any, ink: Ink, width: float, theme: Theme) -> None:
    canvas.setStrokeColor(hex_colour(ink, theme), alpha=ink.opacity)
    canvas.setLineWidth(width)


def _path(canvas: Any, lines: Sequence[Floats], *, closed: bool) -> Any:
    path = canvas.beginPath()
    for line in lines:
        (x, y), *others = line.round(3).tolist()
        path.moveTo(x, y)
        for x, y in others:
            path.lineTo(x, y)
        if closed:
            path.close()
    return path
