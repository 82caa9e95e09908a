"""Text in the language of the current session."""

from __future__ import annotations

from fmviz.app import state
from fmviz.app.catalogue import translate

__all__ = ["tr"]


def tr(key: str, **values: object) -> str:
    """The text of `key` in the language of the current session."""
    return translate(state.current().shell.language, key, **values)
