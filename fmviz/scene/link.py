"""What a user has chosen as the query of an address, and back.

Only what differs from the defaults is written, under short readable names, so a link stays short and can be read.
A link is input from outside: whatever in it cannot be used is dropped, reported by name, and the default stands.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import parse_qsl

from pydantic import BaseModel, ValidationError

__all__ = ["MAX_LENGTH", "Bounds", "bounds", "cleaned", "parameters", "read", "write"]

MAX_LENGTH = 16_000
MOST_NAMES, NAME_LENGTH = 5, 40
"""So many names that could not be used are reported, each cut at so many characters."""
TRACKING = frozenset(
    (
        "fbclid",
        "gclid",
        "dclid",
        "msclkid",
        "yclid",
        "twclid",
        "igshid",
        "mc_cid",
        "mc_eid",
        "spm",
        "from",
        "isappinstalled",
    )
)
"""What other sites add to a link, besides everything that begins with ``utm_``."""
ENDINGS = ".,;:!?>\"'”’。，；：！？》」"
"""What chat programs take along with a link that stands in a sentence."""
M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True)
class Bounds:
    """What the number of a parameter keeps to: at least, more than, at most, less than; None for no such bound."""

    ge: float | None = None
    gt: float | None = None
    le: float | None = None
    lt: float | None = None


def bounds(models: Iterable[type[BaseModel]]) -> dict[str, Bounds]:
    """The bounds of the parameters that are numbers within bounds, by the names that a link has for them."""
    found: dict[str, Bounds] = {}
    for model in models:
        for name, field in model.model_fields.items():
            known = {
                bound: value
                for item in field.metadata
                for bound in Bounds.__dataclass_fields__
                if (value := getattr(item, bound, None)) is not None
            }
            if known:
                found[field.alias or name] = Bounds(**known)
    return found


def write(parts: Iterable[BaseModel]) -> dict[str, str]:
    """The query parameters of all `parts`, defaults left out, in a fixed order."""
    query: dict[str, str] = {}
    for part in parts:
        for key, value in part.model_dump(by_alias=True, exclude_defaults=True).items():
            query[key] = (
                str(int(value)) if isinstance(value, bool) else f"{value:g}" if isinstance(value, float) else str(value)
            )
    return query


def parameters(query: str) -> dict[str, str]:
    """The parameters of a query written as text, the last of each name."""
    return dict(parse_qsl(query, keep_blank_values=True))


def cleaned(query: Mapping[str, str]) -> dict[str, str]:
    """A query without what other programs have added to it.

    Tracking parameters go, ``&amp;`` is read as the & it stands for, and what follows the last value as the end of a sentence or
    of a bracket is cut off.
    """
    found: dict[str, str] = {}
    for key, value in query.items():
        name = key
        while name.startswith("amp;"):
            name = name.removeprefix("amp;")
        if not (name.lower().startswith("utm_") or name.lower() in TRACKING):
            found.setdefault(name, value)
    if found:
        last = next(reversed(found))
        found[last] = _without_ending(found[last])
    return found


def _without_ending(value: str) -> str:
    while value:
        bracket = value[-1] in ")]}）】" and value.count(value[-1]) > value.count(_OPENING[value[-1]])
        if not bracket and value[-1] not in ENDINGS:
            break
        value = value[:-1]
    return value


_OPENING = {")": "(", "]": "[", "}": "{", "）": "（", "】": "【"}


def _names(names: Iterable[str]) -> tuple[str, ...]:
    """Names from outside, short and on one line, the first few."""
    return tuple(" ".join(name.split())[:NAME_LENGTH] for name in names)[:MOST_NAMES]


def read(
    query: Mapping[str, str], models: Mapping[str, type[BaseModel]]
) -> tuple[dict[str, BaseModel], tuple[str, ...]]:
    """The parts that a `cleaned` query stands for, by name, and the names of the parameters that could not be used.

    Unknown names, values outside their range and an over-long query are reported, never raised.
    """
    if sum(len(k) + len(v) for k, v in query.items()) > MAX_LENGTH:
        return {name: model() for name, model in models.items()}, _names(sorted(query))
    remaining = cleaned(query)
    parts: dict[str, BaseModel] = {}
    problems: list[str] = []
    for name, model in models.items():
        aliases = {field.alias for field in model.model_fields.values()}
        own = {key: remaining.pop(key) for key in list(remaining) if key in aliases}
        parts[name], bad = _tolerant(model, own)
        problems += bad
    return parts, _names([*problems, *remaining])


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
