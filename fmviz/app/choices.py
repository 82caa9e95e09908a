"""All that a user has chosen: what the app shares, and what each lesson adds.

The lessons' parts come from their registry, so that the state and its link grow with it. Nothing here knows Streamlit.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, create_model

from fmviz.lessons import LESSONS
from fmviz.scene import link
from fmviz.scene.scene import Scene
from fmviz.scene.views import Clock, PathView, Shell

__all__ = ["BOUNDS", "CHANGED", "PARTS", "READER", "State", "decode", "encode"]

SHARED: dict[str, type[BaseModel]] = {"shell": Shell, "scene": Scene, "clock": Clock, "path": PathView}
PARTS = SHARED | {lesson.name: model for lesson in LESSONS if (model := lesson.settings()) is not None}
"""The models of the state by name; the order is that of a link."""

READER = ("lang", "present", "beat")
"""Parameters that belong to whoever looks at the page, and not to what it shows."""
BOUNDS = link.bounds(PARTS.values())
"""What each parameter keeps to that is a number within bounds."""
CHANGED = tuple(model.model_fields[name].alias or name for model in PARTS.values() for name in link.left_out(model))
"""Parameters whose default has changed (`fmviz.scene.link.LeftOut`): links of today name what links of then leave out."""

if TYPE_CHECKING:

    class State(BaseModel):
        """The state as a type checker sees it: the settings of a lesson are an attribute under its name."""

        shell: Shell = Shell()
        scene: Scene = Scene()
        clock: Clock = Clock()
        path: PathView = PathView()

        def __init__(self, **parts: BaseModel) -> None: ...
        def __getattr__(self, name: str) -> Any: ...

else:
    State = create_model(
        "State", __config__=ConfigDict(frozen=True), **{name: (model, model()) for name, model in PARTS.items()}
    )


def encode(state: State) -> dict[str, str]:
    """The query parameters of `state`, defaults left out, in a fixed order."""
    return link.write((getattr(state, name) for name in PARTS), READER)


def decode(query: Mapping[str, str], *, today: bool = False) -> tuple[State, tuple[str, ...]]:
    """The state a query stands for, and the names of the parameters that could not be used.

    Unknown names, values outside their range and an over-long query are reported, never raised.

    Args:
        query: of a link, which may be old.
        today: whether it belongs to this version, so that what it leaves out has today's default (`CHANGED`).
    """
    parts, problems = link.read(query, PARTS, READER, today=today)
    return State(**parts), problems
