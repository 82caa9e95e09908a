"""What a user has chosen as the query of an address, and back.

Only what differs from the defaults is written, under short readable names, so a link stays short and can be read.
A link is a stranger's input: whatever in it cannot be used is dropped, reported by name, and the default stands.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar

from pydantic import BaseModel, ValidationError

__all__ = ["MAX_LENGTH", "read", "write"]

MAX_LENGTH = 16_000
M = TypeVar("M", bound=BaseModel)


def write(parts: Iterable[BaseModel]) -> dict[str, str]:
    """The query parameters of all `parts`, defaults left out, in a fixed order."""
    query: dict[str, str] = {}
    for part in parts:
        for key, value in part.model_dump(by_alias=True, exclude_defaults=True).items():
            query[key] = (
                str(int(value)) if isinstance(value, bool) else f"{value:g}" if isinstance(value, float) else str(value)
            )
    return query


def read(
    query: Mapping[str, str], models: Mapping[str, type[BaseModel]]
) -> tuple[dict[str, BaseModel], tuple[str, ...]]:
    """The parts that a query stands for, by name, and the names of the parameters that could not be used.

    Unknown names, values outside their range and an over-long query are reported, never raised.
    """
    if sum(len(k) + len(v) for k, v in query.items()) > MAX_LENGTH:
        return {name: model() for name, model in models.items()}, tuple(sorted(name[:20] for name in query))[:10]
    remaining = dict(query)
    parts: dict[str, BaseModel] = {}
    problems: list[str] = []
    for name, model in models.items():
        aliases = {field.alias for field in model.model_fields.values()}
        own = {key: remaining.pop(key) for key in list(remaining) if key in aliases}
        parts[name], bad = _tolerant(model, own)
        problems += bad
    problems += [name[:20] for name in remaining]
    return parts, tuple(problems)


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
