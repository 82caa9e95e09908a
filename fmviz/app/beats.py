"""The beats of a lesson: moments worth showing, each a link, in the order in which a lecturer tells them.

They lie in `beats.toml` of the lesson, and their sentences in its texts, under ``<lesson>.beats.<name>``; a beat that asks
has the texts ``<name>_question`` and ``<name>_answer`` as well. Nothing here knows Streamlit.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from fmviz.app.choices import READER, State, decode, encode
from fmviz.lessons import named
from fmviz.scene import link

__all__ = ["Beat", "beats", "same_moment"]

PASSING = (*READER, "t", "view")
"""Parameters of a link in which somebody at a beat may differ from it: the clock runs, and anybody may look closer."""


@dataclass(frozen=True)
class Beat:
    """One moment of a lesson.

    Attributes:
        name: of its texts.
        parameters: of its link, those of the shell left out.
    """

    name: str
    parameters: Mapping[str, str]

    @property
    def state(self) -> State:
        """What it shows."""
        return decode(self.parameters)[0]


@lru_cache(maxsize=32)
def beats(lesson: str) -> tuple[Beat, ...]:
    """The beats of a lesson, the first first; none if it has no such file."""
    file = named(lesson).folder / "beats.toml"
    if not file.exists():
        return ()
    with file.open("rb") as opened:
        rows = tomllib.load(opened)["beat"]
    return tuple(Beat(row["name"], link.parameters(row["link"])) for row in rows)


def same_moment(one: State, other: State) -> bool:
    """Whether two states show the same, the clock and the zoom aside."""
    first, second = (
        {name: value for name, value in encode(state).items() if name not in PASSING} for state in (one, other)
    )
    return first == second
