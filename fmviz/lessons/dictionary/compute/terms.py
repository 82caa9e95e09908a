"""The terms of the literature: symbol here, symbols there, and the formula between them."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from fmviz.app.catalogue import translate
from fmviz.scene.views import LANGUAGES

__all__ = ["Term", "found", "terms"]

FILE = Path(__file__).parents[1] / "terms.toml"


@dataclass(frozen=True)
class Term:
    """One row; symbols and formula are LaTeX.

    Attributes:
        key: of its name in the texts.
        here: the symbol in this project.
        there: the symbols elsewhere, by text.
        formula: what ties them.
    """

    key: str
    here: str
    there: Mapping[str, str]
    formula: str

    @property
    def names(self) -> tuple[str, ...]:
        """Its name in every language."""
        return tuple(translate(language, f"dictionary.term.{self.key}") for language in LANGUAGES)


@lru_cache(maxsize=1)
def terms() -> tuple[Term, ...]:
    """All terms."""
    with FILE.open("rb") as file:
        return tuple(Term(**row) for row in tomllib.load(file)["term"])


def found(search: str) -> tuple[Term, ...]:
    """The terms whose names, texts or symbols contain every word of the search, in any language; all for an empty search."""
    words = search.casefold().split()

    def holds(term: Term) -> bool:
        everything = " ".join((*term.names, *term.there, *term.there.values(), term.here)).casefold()
        return all(word in everything for word in words)

    return tuple(term for term in terms() if holds(term))
