"""What a comparison found, in words of both languages."""

from __future__ import annotations

__all__ = ["cause", "findings", "percent", "reading_name"]

import math

from fmviz.app.catalogue import number, translate
from fmviz.comparison.calling import Caller
from fmviz.comparison.diagnosis import Diagnosis
from fmviz.comparison.readings import Reading
from fmviz.scene.views import Language


def cause(found: Diagnosis, language: Language) -> str:
    """The likely cause of the error, in a sentence or two."""
    said, likely = found.declared, found.likely
    if found.verdict == "declared":
        return translate(language, "comparison.cause.declared", error=percent(said.error))
    if found.verdict == "none":
        return translate(language, "comparison.cause.none", error=percent(found.table[0].error))
    changes = translate(language, "comparison.and").join(_changes(said.reading, likely.reading, language))
    return translate(
        language, "comparison.cause.other", changes=changes, before=percent(said.error), after=percent(likely.error)
    )


def _changes(said: Reading, likely: Reading, language: Language) -> list[str]:
    found = []
    if likely.predicts != said.predicts:
        quantity = translate(language, f"comparison.quantity.{likely.predicts}")
        found.append(translate(language, "comparison.change.predicts", quantity=quantity))
    turned, opposite = likely.time != said.time, likely.opposite
    if turned and opposite and likely.predicts == "velocity":
        # Told 1 - t, it answers with the velocity of our own time.
        found.append(translate(language, "comparison.change.reversed"))
    else:
        if turned:
            found.append(translate(language, f"comparison.change.time_{_ascii(likely)}"))
        if opposite:
            found.append(translate(language, "comparison.change.opposite"))
    if likely.other_unit:
        found.append(translate(language, "comparison.change.other_unit"))
    if likely.shift != 0.0:
        key = "later" if likely.shift > 0.0 else "earlier"
        size = abs(likely.shift)
        found.append(
            translate(language, f"comparison.change.{key}", shift=number(float(f"{size:.2g}")), steps=round(1.0 / size))
        )
    return found


def reading_name(reading: Reading, language: Language) -> str:
    """A reading in a few words."""
    parts = [
        translate(language, f"comparison.quantity.{reading.predicts}"),
        translate(language, f"comparison.time.{_ascii(reading)}"),
    ]
    if reading.opposite:
        parts.append(translate(language, "comparison.reading.opposite"))
    if reading.other_unit:
        parts.append(translate(language, "comparison.reading.other_unit"))
    if reading.shift != 0.0:
        shift = ("+" if reading.shift > 0.0 else "−") + number(float(f"{abs(reading.shift):.2g}"))
        parts.append(translate(language, "comparison.reading.shift", shift=shift))
    return translate(language, "comparison.comma").join(parts)


def findings(caller: Caller, lost: float, lost_particles: float, language: Language) -> tuple[str, ...]:
    """What else is wrong, a sentence each."""
    found = []
    if lost > 0.0:
        found.append(translate(language, "comparison.finding.lost", share=percent(lost)))
    if lost_particles > 0.0:
        found.append(translate(language, "comparison.finding.particles", share=percent(lost_particles)))
    if caller.varies:
        found.append(translate(language, "comparison.finding.varies"))
    if caller.mixes:
        found.append(translate(language, "comparison.finding.mixes"))
    return tuple(found)


def percent(value: float) -> str:
    """A fraction in per cent, three digits; a dash where it is no number."""
    return f"{number(100.0 * value)} %" if math.isfinite(value) else number(value)


def _ascii(reading: Reading) -> str:
    return "forward" if reading.time == "noise→data" else "backward"
