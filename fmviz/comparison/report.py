"""The report of a comparison: numbers, tables and a page."""

from __future__ import annotations

__all__ = ["Comparison"]

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fmviz.comparison import page
from fmviz.comparison.diagnosis import Diagnosis, Verdict
from fmviz.comparison.field import OwnField
from fmviz.comparison.measures import Distance, ErrorMap, ErrorOverTime, Likelihood, Runs
from fmviz.comparison.sentences import cause, findings, reading_name
from fmviz.scene.views import Language
from fmviz.theory import ProbabilityPath

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False, repr=False)
class Comparison:
    """What `fmviz.compare` found. In a notebook it shows itself.

    Attributes:
        path: the exact path.
        name: of the network.
        field: the velocity that follows from its answers as declared, to be called with x (..., 2) and t.
        diagnosis: how well every reading of its answers fits.
        over_time: the error of the velocity over t.
        map: the same over x.
        runs: particles along both fields.
        distances: of their ends to p_data, with floors.
        likelihood: of exact data; None for a network that torch cannot differentiate.
    """

    path: ProbabilityPath
    name: str
    field: OwnField
    diagnosis: Diagnosis
    over_time: ErrorOverTime
    map: ErrorMap
    runs: Runs
    distances: tuple[Distance, ...]
    likelihood: Likelihood | None

    @property
    def error(self) -> float:
        """The error of the velocity over all t and x ~ p_t, as a fraction of the root mean square speed: 0 for the exact field."""
        return self.over_time.total

    @property
    def worst(self) -> tuple[float, float]:
        """The time at which the error is largest, and how large, as a fraction of the root mean square speed over all t."""
        return self.over_time.worst

    @property
    def verdict(self) -> Verdict:
        """Whether the answers fit what was declared, fit another reading clearly better, or fit none."""
        return self.diagnosis.verdict

    def cause(self, language: Language = "en") -> str:
        """The likely cause of the error, in a sentence or two."""
        return cause(self.diagnosis, language)

    def findings(self, language: Language = "en") -> tuple[str, ...]:
        """What else is wrong: answers that are no numbers, that depend on the other points of a batch, or that vary from call to call."""
        return findings(self.field.caller, self.over_time.lost, self.runs.lost, language)

    def frame(self) -> pd.DataFrame:
        """The error of the velocity over time: columns t, relative and absolute, a row for each of equal parts of [0, 1]."""
        import pandas as pd

        found = self.over_time
        return pd.DataFrame({"t": found.t, "relative": found.relative, "absolute": found.absolute})

    def readings(self, language: Language = "en") -> pd.DataFrame:
        """Every reading of the answers, the best first: what is predicted, which way time runs, sign, unit and shift, and the error."""
        import pandas as pd

        rows = [
            {
                "reading": reading_name(fit.reading, language),
                "predicts": fit.reading.predicts,
                "time": fit.reading.time,
                "opposite": fit.reading.opposite,
                "other_unit": fit.reading.other_unit,
                "shift": fit.reading.shift,
                "error": fit.error,
            }
            for fit in self.diagnosis.table
        ]
        return pd.DataFrame(rows)

    def to_html(self, language: Language = "en") -> str:
        """A page of its own, with all figures inside, that asks for nothing from outside."""
        return page.whole(self, language)

    def _repr_html_(self) -> str:
        return page.fragment(self, "en")

    def __repr__(self) -> str:
        sliced = self.distances[0]
        at, worst = self.worst
        return (
            f"Comparison({self.name}: field off by {_percent(self.error)}, most at t = {at:.2f} ({_percent(worst)}); "
            f"sliced W2 {sliced.own:.3g}, floor {sliced.floor:.3g}; {_VERDICTS[self.verdict]})"
        )


_VERDICTS: dict[Verdict, str] = {
    "declared": "reads as declared",
    "other": "another reading fits better",
    "none": "no reading fits",
}


def _percent(value: float) -> str:
    return f"{100.0 * value:.3g} %" if math.isfinite(value) else str(value)
