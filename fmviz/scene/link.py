"""The whole state of the app as the query of an address, and back.

Only what differs from the defaults is written, under short readable names, so a link stays short and can be read.
A link is a stranger's input: whatever in it cannot be used is dropped, reported by name, and the default stands.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from fmviz.lessons.conservation.settings import ConservationView
from fmviz.lessons.flows.settings import FlowsView
from fmviz.lessons.noise.settings import NoiseView
from fmviz.lessons.sample.settings import SampleView
from fmviz.lessons.train.settings import TrainView
from fmviz.scene.scene import Scene
from fmviz.scene.views import Clock, PathsView, Shell

__all__ = ["MAX_LENGTH", "State", "decode", "encode"]

MAX_LENGTH = 16_000
M = TypeVar("M", bound=BaseModel)


class State(BaseModel):
    """All that a user has chosen: the shell, the scene, and each page's own view."""

    model_config = ConfigDict(frozen=True)

    shell: Shell = Shell()
    scene: Scene = Scene()
    clock: Clock = Clock()
    paths: PathsView = PathsView()
    sample: SampleView = SampleView()
    train: TrainView = TrainView()
    flows: FlowsView = FlowsView()
    noise: NoiseView = NoiseView()
    conservation: ConservationView = ConservationView()


def encode(state: State) -> dict[str, str]:
    """The query parameters of `state`, defaults left out, in a fixed order."""
    query: dict[str, str] = {}
    for name in State.model_fields:
        part: BaseModel = getattr(state, name)
        for key, value in part.model_dump(by_alias=True, exclude_defaults=True).items():
            query[key] = (
                str(int(value)) if isinstance(value, bool) else f"{value:g}" if isinstance(value, float) else str(value)
            )
    return query


def decode(query: Mapping[str, str]) -> tuple[State, tuple[str, ...]]:
    """The state a query stands for, and the names of the parameters that could not be used.

    Unknown names, values outside their range and an over-long query are reported, never raised.
    """
    if sum(len(k) + len(v) for k, v in query.items()) > MAX_LENGTH:
        return State(), tuple(sorted(name[:20] for name in query))[:10]
    remaining = dict(query)
    parts: dict[str, BaseModel] = {}
    problems: list[str] = []
    for name, info in State.model_fields.items():
        model = info.annotation
        if not (isinstance(model, type) and issubclass(model, BaseModel)):
            raise TypeError(f"State.{name} must be a pydantic model")
        aliases = {field.alias for field in model.model_fields.values()}
        own = {key: remaining.pop(key) for key in list(remaining) if key in aliases}
        parts[name], bad = _tolerant(model, own)
        problems += bad
    problems += [name[:20] for name in remaining]
    return State.model_validate(parts), tuple(problems)


def _tolerant(model: type[M], values: dict[str, str]) -> tuple[M, list[str]]:
    """`model` from the values that fit, and the names of those that do not."""
    bad: list[str] = []
    while True:
        try:
            return model.model_validate(values), bad
        except ValidationError as error:
            wrong = {str(item["loc"][0]) for item in error.errors()} & values.keys()
            if not wrong:
                return model(), sorted(values)
            bad += sorted(wrong)
            values = {key: value for key, value in values.items() if key not in wrong}
