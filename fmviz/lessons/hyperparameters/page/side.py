"""Runs side by side: what is pinned, the settings in which the pinned runs differ, their errors over the steps, and their stage."""

from __future__ import annotations

from functools import partial

import streamlit as st

from fmviz.app import bound, runs, state, tabs
from fmviz.app.altair import show_altair
from fmviz.app.i18n import tr
from fmviz.app.press import ignore_duplicate_press
from fmviz.lessons.hyperparameters.charts import curves
from fmviz.lessons.hyperparameters.compute import pinned_pictures
from fmviz.lessons.hyperparameters.compute.pins import LETTERS, Pin, Pins
from fmviz.lessons.hyperparameters.compute.plan import CellPlan, Job, Plan
from fmviz.lessons.hyperparameters.page import sweeps, words
from fmviz.lessons.hyperparameters.page.pinned_table import Row, columns, rows
from fmviz.scene import scenes
from fmviz.stage.payload import View

__all__ = ["on_stage", "picture", "side_by_side", "stage_choice"]

PINS = "pinned_runs"
WIDTH = 760
FEWEST = 2
"""So many runs can be compared."""
NAMED = 3
"""The title of a panel has so many of the settings that differ."""


def side_by_side(plan: Plan, chosen: CellPlan) -> None:
    """The section: what can be pinned, and what is. Nothing where there is neither.

    Args:
        plan: the cells of the page.
        chosen: the one that is looked at.
    """
    offers = [offer for offer in (_of_cell(plan, chosen), _of_train()) if offer is not None]
    kept = _pins().kept
    if not (offers or kept):
        return
    st.subheader(tr("hyperparameters.side.title"), anchor=False)
    st.caption(tr("hyperparameters.side.help"))
    with st.container(horizontal=True, key="hyper_pin"):
        for key, text, pin in offers:
            _pin_button(key, text, pin)
    with st.container(horizontal=True, key="hyper_pinned"):
        for letter, pin in zip(LETTERS, kept, strict=False):
            st.button(
                tr("hyperparameters.side.unpin", letter=letter),
                icon=":material/close:",
                type="tertiary",
                on_click=ignore_duplicate_press(partial(_pins().remove, pin)),
                key=f"hyper_unpin_{letter}",
            )
    if kept:
        _compared(kept)


def stage_choice() -> None:
    """Above the stage: all cells or the pinned runs, where there are enough of those."""
    if len(_pins().kept) >= FEWEST:
        texts = {name: tr(f"hyperparameters.side.stage_{name}") for name in ("cells", "pins")}
        bound.segmented("hyperparameters", "stage", tr("hyperparameters.side.stage"), texts, collapsed=True)


def on_stage() -> bool:
    """Whether the stage shows the pinned runs."""
    return state.current().hyperparameters.stage == "pins" and len(_pins().kept) >= FEWEST


def picture(view: View) -> bytes:
    """The stage with the pinned runs."""
    kept, now = _pins().kept, state.current()
    differ = [row.texts for row in rows(kept) if row.differs][:NAMED]
    titles = [
        " · ".join([letter, *(texts[place].replace("`", "") for texts in differ)])
        + f": {words.percent(pin.errors[-1][1])}"
        for place, (letter, pin) in enumerate(zip(LETTERS, kept, strict=False))
    ]
    return pinned_pictures.payload(kept, titles, now.scene.seed_start, view, now.shell.language)


def _pins() -> Pins:
    return tabs.belonging(PINS, Pins)


# ------------------------------------------------------------------ what can be pinned


def _of_cell(plan: Plan, cell: CellPlan) -> tuple[str, str, Pin] | None:
    """The run of a cell, that of its first seed, once it has ended with a network."""
    result = sweeps.results(plan).get(cell.jobs[0])
    if result is None or not result.ended or result.model is None or not result.errors:
        return None
    text = tr("hyperparameters.side.pin", cell=words.cell_name(plan, cell))
    return "cell", text, Pin(cell.jobs[0], result.errors, result.model)


def _of_train() -> tuple[str, str, Pin] | None:
    """The latest run of the page Train on this scene, once it has ended."""
    run = runs.trained()
    if run is None or run.alive or run.model is None:
        return None
    errors = tuple((k.step, k.report.velocity.total) for k in run.kept if k.report and k.report.velocity)
    if not errors:
        return None
    job: Job = (scenes.learned_part(state.current().scene), run.spec)
    return "train", tr("hyperparameters.side.pin_train"), Pin(job, errors, run.model.to("cpu"))


def _pin_button(key: str, text: str, pin: Pin) -> None:
    there, fits = _pins().has(pin.job), _pins().fits(pin)
    reason = "pinned" if there else None if fits else "full"
    st.button(
        text,
        icon=":material/keep:",
        on_click=ignore_duplicate_press(partial(_pins().add, pin)),
        disabled=there or not fits,
        help=None if reason is None else tr(f"hyperparameters.side.{reason}"),
        key=f"hyper_pin_{key}",
    )


# ------------------------------------------------------------------ how they compare


def _compared(kept: tuple[Pin, ...]) -> None:
    errors = tuple(words.percent(pin.errors[-1][1]) for pin in kept)
    table = [*rows(kept), Row(tr("hyperparameters.final_error"), errors, len(set(errors)) > 1)]
    with st.container(width=WIDTH):
        st.table(columns(table), border="horizontal", hide_index=True)
        if len(kept) >= FEWEST:
            st.caption(tr("hyperparameters.side.bold"))
        _curves(kept, tuple(LETTERS[: len(kept)]))


def _curves(kept: tuple[Pin, ...], letters: tuple[str, ...]) -> None:
    """Their errors over the steps."""
    side, step, error = (
        (tr("hyperparameters.run"), letters),
        tr("hyperparameters.step"),
        tr("hyperparameters.error"),
    )
    tracks = [
        curves.Track(letter, "", tuple((at, value, value, value) for at, value in pin.errors))
        for letter, pin in zip(letters, kept, strict=True)
    ]
    show_altair(
        lambda ground: curves.curves(side, ("", ("",)), step, error, ground),
        of=(side,),
        description=tr("hyperparameters.side.curves_alt"),
        key="hyper_side",
        rows=curves.table(tracks),
    )
