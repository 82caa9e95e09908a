"""The one family of errors that fmviz raises for a wrong input.

Each message names the parameter, says what is allowed and what came, so that it can be shown to a user as it stands.
"""

__all__ = ["FmvizError", "ParameterError", "ScheduleError", "SingularTimeError"]


class FmvizError(Exception):
    """Base of every error that fmviz raises on purpose."""


class ParameterError(FmvizError, ValueError):
    """A parameter lies outside what is allowed.

    Args:
        name: the parameter, as the caller spells it.
        allowed: what would have been accepted.
        got: what came.
    """

    def __init__(self, name: str, allowed: str, got: object) -> None:
        self.name, self.allowed, self.got = name, allowed, got
        super().__init__(f"{name}: expected {allowed}, got {got!r:.200}")


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
    """A quantity that truly has no value at this time was asked for."""
