"""Why something could not be done, in the language of the session: an error carries a key and values, the texts the sentence."""

from __future__ import annotations

from pydantic import ValidationError

from fmviz.app.choices import BOUNDS as OF_PARAMETERS
from fmviz.app.i18n import tr
from fmviz.errors import FmvizError, ScheduleError

__all__ = ["explain", "explain_parameter", "explain_row"]

BOUNDS = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}
SYMBOLS = {"alpha": "α", "beta": "β", "sigma": "σ", "theta": "θ"}


def explain(error: Exception | None) -> str:
    """Whole sentences for any error of the library; one without a sentence of its own names its parameter."""
    match error:
        case ScheduleError():
            fact = f" `{error.fact}`" if error.fact else ""
            return tr(f"schedule_error.{error.reason}") + fact
        case FmvizError():
            # As code, so that no name is ever read as Markdown.
            values = {name: f"`{SYMBOLS.get(str(value), value)}`" for name, value in error.values.items()}
            return tr(f"error.{error.key}", **values)
    return tr("error.unknown")


def explain_row(error: ValidationError) -> str:
    """Why a component was refused: its column and the bound that it broke, else that it has no covariance."""
    first = error.errors()[0]
    if not first["loc"]:
        return tr("scene.table_covariance")
    column = tr(f"scene.column_{first['loc'][0]}")
    broken = [f"{BOUNDS[name]} {value:g}" for name, value in first.get("ctx", {}).items() if name in BOUNDS]
    return tr("scene.table_wrong", detail=f"{column} {broken[0]}") if broken else tr("error.parameter", name=column)


def explain_parameter(name: str) -> str:
    """A parameter of a link that could not be used, with the bounds of its number if it has any; plain text."""
    bounds = OF_PARAMETERS.get(name)
    known = {} if bounds is None else {of: value for of, value in vars(bounds).items() if value is not None}
    if not known:
        return name
    said = tr("link_bound.join").join(tr(f"link_bound.{of}", value=f"{value:.10g}") for of, value in known.items())
    return tr("link_bound.of", name=name, bounds=said)
