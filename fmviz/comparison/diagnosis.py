"""Which reading of a network's answers is the likely one, in comparison with what was declared."""

from __future__ import annotations

__all__ = ["Diagnosis", "Verdict", "diagnose"]

from dataclasses import dataclass
from typing import Literal

from fmviz.comparison.calling import Caller
from fmviz.comparison.clocks import Clock
from fmviz.comparison.readings import Exact, Fit, Reading, fits, shift
from fmviz.theory import ProbabilityPath

Verdict = Literal["declared", "other", "none"]

CLEARLY = 0.5
"""Another reading is named only if its error is less than this fraction of that of the declared one."""
GOOD = 0.5
"""With a relative error above this nothing has been learned: no reading fits."""
TIE = 1.1
"""Of readings whose errors are within this factor of the best the one with the fewest changes is meant."""
ROWS = 6
"""Readings that a report shows."""
LEAST_SHIFT = 1e-3
EXACT = 1e-4
"""An error below which no shift of time is looked for: float32 alone leaves as much."""


@dataclass(frozen=True)
class Diagnosis:
    """What was found.

    Attributes:
        verdict: the declared reading fits best, another one does, or none.
        declared: the reading that was declared, with its error.
        likely: the reading that fits; the declared one where none does clearly better.
        table: all readings, the best first, a shifted one among them if it is the likely one.
    """

    verdict: Verdict
    declared: Fit
    likely: Fit
    table: tuple[Fit, ...]

    def shown(self) -> tuple[Fit, ...]:
        """The best readings, and the declared one if it is not among them."""
        best = self.table[:ROWS]
        return best if self.declared in best else (*best, self.declared)


def diagnose(path: ProbabilityPath, caller: Caller, clock: Clock, exact: Exact, declared: Reading) -> Diagnosis:
    """Try every reading, then shifts of the time of the best."""
    table = fits(caller, clock, exact)
    said = next(fit for fit in table if fit.reading == declared)
    near = [fit for fit in table if fit.error <= TIE * table[0].error]
    best = min(near, key=lambda fit: (fit.reading.changes(declared), fit.error))
    if best.error > CLEARLY * said.error:
        best = said
    if best.error > EXACT:
        later, unmoved = shift(path, caller, clock, exact, best.reading)
        if abs(later.reading.shift) >= LEAST_SHIFT and later.error < CLEARLY * unmoved:
            best = later
            table = sorted([later, *table], key=lambda fit: fit.error)
    verdict: Verdict = "declared" if best == said else "other"
    if best.error > GOOD:
        verdict, best = "none", said
    return Diagnosis(verdict, said, best, tuple(table))
