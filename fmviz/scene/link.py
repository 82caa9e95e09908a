"""What a user has chosen as the query of an address, and back.

Only what differs from the defaults is written, under short readable names, so a link stays short and can be read.
A link is input from outside: whatever in it cannot be used is dropped, reported by name, and the default stands.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
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
    """Marks a field whose default has changed: what a link means that leaves it out, which is the default of then.

    So links of then go on to mean the same, and links of today name the default of today. A link that names nothing at all has
    the defaults of today.
    """

    value: Any


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
    parts = tuple(parts)
    query = {
        key: value for part in parts for key, value in part.model_dump(by_alias=True, exclude_defaults=True).items()
    }
    if _names_something(query, map(type, parts), apart):
        query = {key: value for part in parts for key, value in _written(part).items()}
    return {key: _text(value) for key, value in query.items()}


def _names_something(query: Iterable[str], models: Iterable[type[BaseModel]], apart: Collection[str]) -> bool:
    """Whether a query says anything besides what is `apart` and the fields whose default has changed."""
    return not {*query} <= {*apart, *(name for model in models for name in _of_then(model))}


def _of_then(model: type[BaseModel]) -> dict[str, Any]:
    """The values of `left_out` by the names that a link has for them."""
    return {model.model_fields[name].alias or name: of_then.value for name, of_then in left_out(model).items()}


def _written(part: BaseModel) -> dict[str, Any]:
    """What is written of a part: what is not the default, or not that of then."""
    kept, of_then = part.model_dump(by_alias=True, exclude_defaults=True), _of_then(type(part))
    if not of_then:
        return kept
    return {
        key: value
        for key, value in part.model_dump(by_alias=True).items()
        if (value != of_then[key] if key in of_then else key in kept)
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
        today: whether what it leaves out has the default of today in any case (`LeftOut`).
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
    if not today and _names_something(write(parts.values(), apart), models.values(), apart):
        for name, part in parts.items():
            changed = left_out(models[name])
            of_then = {field: mark.value for field, mark in changed.items() if field not in part.model_fields_set}
            parts[name] = part.model_copy(update=of_then) if of_then else part
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
