"""The beats of a lesson: moments worth showing, each a link, in the order in which a lecturer tells them.

They lie in `beats.toml` of the lesson, and their sentences in its texts, under ``<lesson>.beats.<name>``; a beat that asks
has the texts ``<name>_question`` and ``<name>_answer`` as well. Nothing here knows Streamlit.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from fmviz.app.choices import CHANGED, READER, State, decode, encode
from fmviz.lessons import named
from fmviz.scene import link

__all__ = ["Beat", "beats", "same_moment"]

PASSING = (*READER, "t", "view", *CHANGED)
"""Parameters of a link in which somebody at a beat may differ from it: the clock runs, anybody may look closer, and links from
before a default was changed are still those of the beat."""


@dataclass(frozen=True)
class Beat:
    """One moment of a lesson.

    Attributes:
        name: of its texts.
        parameters: of its link, those of the shell left out, with the defaults of this version.
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
    return tuple(Beat(row["name"], _of_today(link.parameters(row["link"]))) for row in rows)


def _of_today(parameters: Mapping[str, str]) -> Mapping[str, str]:
    """The parameters, with those whose default has changed as this version has them (`CHANGED`), in the order of a link."""
    today = encode(decode(parameters, today=True)[0])
    named = {name: today[name] for name in CHANGED if name in today} | dict(parameters)
    return {name: named[name] for name in [*(name for name in today if name in named), *(named.keys() - today.keys())]}


def same_moment(one: State, other: State) -> bool:
    """Whether two states show the same, the clock and the zoom aside."""
    first, second = (
        {name: value for name, value in encode(state).items() if name not in PASSING} for state in (one, other)
    )
    return first == second
