"""Which laws the page Theory shows."""

from __future__ import annotations

from dataclasses import replace

from fmviz.app.laws import Law, Section, by_name, sections

__all__ = ["found", "opened"]


def found(search: str) -> tuple[Section, ...]:
    """The sections with the laws that have every word of `search` in their names or text; all of them for an empty one."""
    words = search.lower().split()
    if not words:
        return sections()
    kept = (replace(part, text="", laws=tuple(law for law in part.laws if _has(law, words))) for part in sections())
    return tuple(part for part in kept if part.laws)


def _has(law: Law, words: list[str]) -> bool:
    text = f"{law.english} {law.chinese} {by_name(law.text, 'en')}".lower()
    return all(word in text for word in words)


def opened(number: int | None) -> Law | None:
    """The law of a link; None for a number that no law has."""
    laws = (law for part in sections() for law in part.laws)
    return next((law for law in laws if law.number == number), None)
