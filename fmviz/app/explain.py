"""Why something could not be done, in the language of the session: an error carries a key and values, the texts the sentence."""

from __future__ import annotations

from pydantic import ValidationError

from fmviz.app.i18n import tr
from fmviz.errors import ParameterError, ScheduleError, SingularTimeError

__all__ = ["bound_of", "explain"]

BOUNDS = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}


def explain(error: Exception | None) -> str:
    """Whole sentences for any error of the library; what has no sentence of its own is told by the name of its parameter."""
    match error:
        case SingularTimeError():
            return tr("error.singular_source")
        case ScheduleError():
            fact = f" `{error.fact}`" if error.fact else ""
            return tr(f"schedule_error.{error.reason}") + fact
        case ParameterError():
            return tr("error.parameter", name=f"`{error.name}`")
    return tr("error.unknown")


def bound_of(error: ValidationError) -> str:
    """The field that a model refused and the bound that it broke, in symbols: ``"x ≤ 20"``. Empty where it is no bound."""
    first = error.errors()[0]
    broken = [f"{BOUNDS[name]} {value:g}" for name, value in first.get("ctx", {}).items() if name in BOUNDS]
    return f"{first['loc'][0]} {broken[0]}" if first["loc"] and broken else ""
