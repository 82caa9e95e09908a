"""All texts, from the locale files of the app and of each lesson. Nothing here knows Streamlit.

Keys are dotted paths into the TOML tables. A missing key is an error, never an English text in a Chinese page.
"""

from __future__ import annotations

import math
import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Any

from fmviz.home import HOME
from fmviz.lessons import LESSONS
from fmviz.scene.views import Language

__all__ = ["ASSETS", "catalogue", "number", "section", "translate"]

ASSETS = HOME / "assets"
TEXTS = Path(__file__).parent / "texts"
"""The locale files of the app; those of a lesson are in its folder."""


@lru_cache(maxsize=8)
def catalogue(language: Language) -> dict[str, str]:
    """All texts of one language by dotted key. Raises ValueError if a lesson writes into a table that is not its own."""
    texts = dict(_flatten("", _read(TEXTS / f"{language}.toml")))
    for lesson in LESSONS:
        own = _read(lesson.folder / "texts" / f"{language}.toml")
        strange = [table for table in own if table != lesson.name and not table.startswith(f"{lesson.name}_")]
        if strange:
            raise ValueError(f"the texts of {lesson.name} have the tables {strange}, which are not its own")
        texts.update(_flatten("", own))
    return texts


def _read(file: Path) -> dict[str, Any]:
    with file.open("rb") as opened:
        return tomllib.load(opened)


def _flatten(prefix: str, table: dict[str, Any]) -> list[tuple[str, str]]:
    items: list[tuple[str, str]] = []
    for key, value in table.items():
        path = f"{prefix}.{key}" if prefix else key
        items += _flatten(path, value) if isinstance(value, dict) else [(path, str(value))]
    return items


def translate(language: Language, key: str, **values: object) -> str:
    """The text of `key` in `language`, its ``{placeholders}`` filled. Raises KeyError for an unknown key."""
    text = catalogue(language)[key]
    return text.format(**values) if values else text


def section(language: Language, name: str) -> dict[str, str]:
    """All texts of one table of the locale file, by their own key."""
    prefix = f"{name}."
    return {key.removeprefix(prefix): text for key, text in catalogue(language).items() if key.startswith(prefix)}


def number(value: float) -> str:
    """A measured number, three significant digits, with a proper power of ten where it is small; a dash for none."""
    if not math.isfinite(value):
        return "–" if math.isnan(value) else "∞" if value > 0 else "−∞"
    if value == 0 or 1e-3 <= abs(value) < 1e5:
        return f"{value:.3g}"
    mantissa, exponent = f"{value:.1e}".split("e")
    power = str(int(exponent)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"{mantissa}·10{power}"
