"""The one family of errors that fmviz raises for a wrong input.

Each message, in English, names the parameter and says what is allowed and what came: enough for the reader of a notebook. An
interface in another language takes the key and the values of the error, and has the sentence itself.
"""

from collections.abc import Mapping
from typing import Any

__all__ = ["FmvizError", "ParameterError", "ScheduleError", "SingularTimeError"]


class FmvizError(Exception):
    """Base of every error that fmviz raises on purpose.

    Attributes:
        key: what went wrong, stable, for an interface to translate; ``"unknown"`` where no reader is told more.
    """

    key: str = "unknown"

    @property
    def values(self) -> Mapping[str, object]:
        """What the sentence of `key` names: symbols and numbers, no prose."""
        return {}

    def __reduce__(self) -> tuple[Any, ...]:
        # An error of another process arrives whole, whatever its constructor takes.
        return _rebuilt, (type(self), self.args), self.__dict__


class ParameterError(FmvizError, ValueError):
    """A parameter lies outside what is allowed.

    Args:
        name: the parameter, as the caller spells it.
        allowed: what would have been accepted.
        got: what came.
        key: the kind of bound that was broken, such as ``"positive"``, where an interface names it.
    """

    def __init__(self, name: str, allowed: str, got: object, *, key: str = "parameter") -> None:
        self.name, self.allowed, self.got, self.key = name, allowed, got, key
        super().__init__(f"{name}: expected {allowed}, got {got!r:.200}")

    @property
    def values(self) -> Mapping[str, object]:
        """The parameter's name."""
        return {"name": self.name}


class ScheduleError(FmvizError, ValueError):
    """A typed schedule cannot be used.

    Args:
        reason: a stable key such as ``"endpoint"``, which the interface translates.
        detail: what is wrong, in English.
        fact: the same in symbols, for a reader of any language, for example ``"α: t = 1: 0.5 ≠ 1"``; may be empty.
    """

    def __init__(self, reason: str, detail: str, fact: str = "") -> None:
        self.reason, self.detail, self.fact = reason, detail, fact
        super().__init__(f"{reason}: {detail}")


class SingularTimeError(FmvizError, ValueError):
    """A quantity was requested at a time at which it has no value.

    Args:
        message: what has no value, and where.
        key: ``"singular_source"`` or ``"singular_data"`` where the means of that mixture make the velocity infinite, else
            ``"singular_time"``.
    """

    def __init__(self, message: str, key: str = "singular_time") -> None:
        self.key = key
        super().__init__(message)


def _rebuilt(kind: type[FmvizError], args: tuple[object, ...]) -> FmvizError:
    """An error without its attributes, which unpickling adds."""
    error = kind.__new__(kind)
    error.args = args
    return error
