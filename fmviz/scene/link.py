"""What a user has chosen as the query of an address, and back.

Only what differs from the defaults is written, under short readable names, so a link stays short and can be read.
A link is input from outside: whatever in it cannot be used is dropped, reported by name, and the default stands.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar
from urllib.parse import parse_qsl

from pydantic import BaseModel, ValidationError

__all__ = ["MAX_LENGTH", "Bounds", "LeftOut", "bounds", "cleaned", "left_out", "parameters", "read", "write"]

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


@dataclass(frozen=True)
class LeftOut:
    """Marks a field whose default has changed, with its former default: what a link that leaves the field out stands for.

    So older links keep their meaning, and newer ones name the present default. A link that names nothing at all stands for the
    present defaults.
    """

    value: Any


@cache
def left_out(model: type[BaseModel]) -> dict[str, LeftOut]:
    """The fields of a model whose default has changed."""
    return {
        name: item for name, field in model.model_fields.items() for item in field.metadata if isinstance(item, LeftOut)
    }


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


def write(parts: Iterable[BaseModel], apart: Collection[str] = ()) -> dict[str, str]:
    """The query parameters of all `parts`, defaults left out, in a fixed order; see `LeftOut` for defaults that have changed.

    Args:
        parts: what to write.
        apart: parameters that are no choice of what is shown: a link of these alone names nothing.
    """
    changed = [(part, _changed(part)) for part in parts]
    if _names_something(changed, apart):
        changed = [(part, _since_former(part, kept)) for part, kept in changed]
    return {key: _text(value) for _, kept in changed for key, value in kept.items()}


def _changed(part: BaseModel) -> dict[str, Any]:
    """What differs from the present defaults, by the names that a link has for it."""
    return part.model_dump(by_alias=True, exclude_defaults=True)


def _names_something(changed: Iterable[tuple[BaseModel, Iterable[str]]], apart: Collection[str]) -> bool:
    """Whether anything has `changed` besides what is `apart` and the fields whose default has changed."""
    return any(key not in apart and key not in _former(type(part)) for part, kept in changed for key in kept)


@cache
def _former(model: type[BaseModel]) -> dict[str, Any]:
    """The former defaults of `left_out`, by the names that a link has for the fields."""
    return {model.model_fields[name].alias or name: mark.value for name, mark in left_out(model).items()}


def _since_former(part: BaseModel, changed: dict[str, Any]) -> dict[str, Any]:
    """What has `changed`, for fields with a former default what differs from that."""
    former = _former(type(part))
    if not former:
        return changed
    return {
        key: value
        for key, value in part.model_dump(by_alias=True).items()
        if (value != former[key] if key in former else key in changed)
    }


def _text(value: object) -> str:
    if isinstance(value, bool):
        return str(int(value))
    return f"{value:g}" if isinstance(value, float) else str(value)


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
    query: Mapping[str, str], models: Mapping[str, type[BaseModel]], apart: Collection[str] = (), *, today: bool = False
) -> tuple[dict[str, BaseModel], tuple[str, ...]]:
    """The parts that a `cleaned` query stands for, by name, and the names of the parameters that could not be used.

    Unknown names, values outside their range and an over-long query are reported, never raised.

    Args:
        query: of the link.
        models: of the parts.
        apart: see `write`.
        today: whether what it leaves out has the present default in any case (`LeftOut`).
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
    if not today and _names_something([(part, _changed(part)) for part in parts.values()], apart):
        parts = {name: _with_former(part) for name, part in parts.items()}
    return parts, _names([*problems, *remaining])


def _with_former(part: BaseModel) -> BaseModel:
    """A part with the former defaults of the fields that its link leaves out."""
    former = {name: mark.value for name, mark in left_out(type(part)).items() if name not in part.model_fields_set}
    return part.model_copy(update=former) if former else part


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
