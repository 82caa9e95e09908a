"""The laws of ``docs/theory.md``: their numbers, which the code cites, and their names, which users read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from fmviz.home import HOME
from fmviz.scene.views import Language

__all__ = ["FILE", "Law", "Section", "by_name", "law", "sections"]

FILE = HOME / "docs" / "theory.md"
HEADING = re.compile(r"### T(\d+) · ([^·]+) · ([^·]+)")
CITED = re.compile(r"\bT(\d{1,2})\b")


@dataclass(frozen=True)
class Law:
    """One law.

    Attributes:
        number: that by which code cites it.
        english, chinese: its names.
        text: Markdown with formulas, in English; cites other laws by number.
    """

    number: int
    english: str
    chinese: str
    text: str

    def name(self, language: Language) -> str:
        """Its name in `language`."""
        return self.chinese if language == "zh" else self.english


@dataclass(frozen=True)
class Section:
    """A part of the document: its title, what it says before its first law (Markdown), and its laws."""

    title: str
    text: str
    laws: tuple[Law, ...]


@lru_cache(maxsize=1)
def sections() -> tuple[Section, ...]:
    """The whole document in its order."""
    _, *parts = re.split(r"(?m)^## ", FILE.read_text(encoding="utf-8"))
    return tuple(_section(part) for part in parts)


def _section(part: str) -> Section:
    title, _, body = part.partition("\n")
    text, *entries = re.split(r"(?m)^(?=### )", body)
    return Section(title.strip(), text.strip(), tuple(_law(entry) for entry in entries))


def _law(entry: str) -> Law:
    heading, _, text = entry.partition("\n")
    found = HEADING.fullmatch(heading.strip())
    if found is None:
        raise ValueError(f"not a law's heading: {heading!r}")
    return Law(int(found[1]), found[2].strip(), found[3].strip(), text.strip())


@lru_cache(maxsize=1)
def _by_number() -> dict[int, Law]:
    return {law.number: law for section in sections() for law in section.laws}


def law(number: int) -> Law:
    """The law of this number. Raises KeyError."""
    return _by_number()[number]


def by_name(text: str, language: Language) -> str:
    """`text` with every cited number replaced by the name of its law, in italics."""
    return CITED.sub(lambda found: f"*{law(int(found[1])).name(language)}*", text)
