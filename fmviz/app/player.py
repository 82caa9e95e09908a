"""The stage on a page: shows a payload and turns what the user did on it into the session's state.

It lives in a fragment of its own, so that following a dragged component reruns nothing else; when the finger lifts, the
whole page follows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import streamlit as st
from pydantic import ValidationError

from fmviz.app import compare, order, press, state
from fmviz.app.choices import State
from fmviz.app.clips import choices
from fmviz.app.explain import explain
from fmviz.app.i18n import tr
from fmviz.errors import FmvizError
from fmviz.scene import Component, Scene
from fmviz.stage.component import events, stage
from fmviz.stage.events import Boxed, Clicked, Moved
from fmviz.stage.payload import View, decode_header, live_part
from fmviz.stage.standalone import standalone_html

__all__ = ["draft", "first_view", "player", "sent", "standalone", "visit_view"]

SETTLED, LAST, VISIT, SENT = "fmviz_settled", "fmviz_last_payload", "fmviz_visit", "fmviz_sent"
BEFORE_DRAG = "fmviz_before_drag"


def first_view(
    chosen: State,
    layers: tuple[str, ...] | None = None,
    revision: int = 1,
    *,
    acknowledge: bool = True,
    span: float = 1.0,
) -> View:
    """The stage as `chosen` has it: at rest where a time was chosen, otherwise playing from the start.

    The clock of the state runs from 0 to 1, that of the clip from 0 to `span`.
    """
    clock = chosen.clock
    return View(
        t=clock.t * span,
        playing=clock.t == 0.0,
        layers_on=layers,
        density_scale=clock.density,
        per_frame=clock.per_frame,
        present=chosen.shell.present,
        revision=revision,
        acknowledge=acknowledge,
        zoom=clock.zoom,
    )


def visit_view(page: str, part: str, *, acknowledge: bool = True, span: float = 1.0) -> View:
    """How the stage is first shown on this visit of `page`; `part` of the state holds its layers.

    `acknowledge` makes a change of the scene draw the stage before the rest of the page (see `fmviz.app.order`). `span` is
    the last time of the clip.

    Taken once a visit: afterwards the browser keeps its own clock and layers, and an unchanged payload is not sent again.
    """
    if acknowledge:
        order.expect_stage()
    shell = state.current().shell
    stamp = (page, shell.present, state.links_read())
    if st.session_state.get(VISIT, (None, None))[0] != stamp:
        st.session_state[VISIT] = (
            stamp,
            first_view(
                state.current(),
                getattr(state.current(), part).layers,
                state.links_read(),
                acknowledge=acknowledge,
                span=span,
            ),
        )
    shown: View = st.session_state[VISIT][1]
    return shown


def draft() -> bool:
    """Whether a draft of the picture will do: the whole of it follows as soon as it has been drawn."""
    return order.page_run_pending()


def sent(part: str, among: frozenset[str]) -> frozenset[str]:
    """Those of the layers `among` whose arrays travel: they are on, or were so at some time since the session began.

    One that has been switched off again still travels, so that switching it back on needs no answer of the server.
    """
    seen: set[str] = st.session_state.setdefault(SENT, set())
    seen.update(getattr(state.current(), part).layers or ())
    return among & seen


@st.fragment(key=order.STAGE)
def player(
    key: str,
    part: str,
    payload: Callable[[], bytes],
    moved: Callable[[Moved], None] | None = None,
    boxed: Callable[[Boxed], None] | None = None,
    span: float = 1.0,
    clicked: Callable[[Clicked], None] | None = None,
) -> None:
    """Shows the payload of the current state; where it cannot be made, says why and keeps the last good one.

    Args:
        key: names the stage.
        part: the part of the state that holds the layers of this stage, and the clicked point.
        payload: makes the bytes from the state as it is now; it is called again on every step of a drag.
        moved: writes a dragged marker into the state; without it the marker "z" is the z of the paths. What the model of
            the state refuses is not written.
        boxed: the same for a box that was moved or resized.
        clicked: the same for a clicked point; without it the point is the `click` of `part`.
        span: the last time of the clip; the clock of the state is a fraction of it.
    """
    slot = st.container()
    last = f"{LAST}.{key}"
    before: bytes = st.session_state.get(last, b"")
    order.stage_here(key, acknowledges=st.session_state[VISIT][1].acknowledge)
    try:
        shown = compare.beside(payload)
        st.session_state[last] = shown
    except FmvizError as error:
        slot.error(tr("app.cannot_draw", reason=explain(error)))
        shown = before
    if shown:
        stage(
            shown,
            key=key,
            on_t=lambda: _clock(key, span),
            on_layers=lambda: _layers(key, part),
            on_density=lambda: _density(key),
            on_edited=lambda: _edited(key),
            on_clicked=lambda: _clicked(key, part, clicked),
            on_moved=lambda: _moved(key, moved or _move_z),
            on_boxed=lambda: _boxed(key, boxed),
            on_shown=lambda: order.drawn(key),
            on_zoomed=lambda: _zoomed(key),
        )
        order.wait_for_first_drawing()
    else:
        order.nothing_to_draw()
    settled, pressed = st.session_state.pop(SETTLED, False), press.whole_page_wanted()
    if settled or pressed:
        st.rerun()
    order.picture_done(drawn_anew=_clip(shown) != _clip(before))


def standalone(title: str) -> Callable[[], bytes]:
    """Makes the stage of this page a web page of its own, for slides: the clip inside, nothing fetched.

    What is returned may run in another thread, which knows nothing of this session.
    """
    payload = live_part(st.session_state[f"{LAST}.{order.stage_key()}"])
    language = state.current().shell.language
    return lambda: standalone_html(payload, title, language, choices=choices(language)).encode()


def _clip(payload: bytes) -> object:
    """What tells clips apart, for the browser as well; of a pair the live one."""
    return decode_header(live_part(payload))["clip"] if payload else None


def _settle() -> None:
    st.session_state[SETTLED] = True


def _clock(key: str, span: float) -> None:
    t = events(key).t
    if t is not None:
        state.change("clock", t=min(1.0, max(0.0, t / span)))
        _settle()


def _layers(key: str, part: str) -> None:
    names = events(key).layers
    if names is not None:
        _try(lambda: state.change(part, layers=names))


def _density(key: str) -> None:
    density = events(key).density
    if density is not None:
        _try(lambda: state.change("clock", density=density.scale, per_frame=density.per_frame))


def _zoomed(key: str) -> None:
    zoomed = events(key).zoomed
    if zoomed is not None:
        x, y, factor = (round(value, 6) for value in (zoomed.x, zoomed.y, zoomed.factor))
        _try(lambda: state.change("clock", zoom=None if factor == 1.0 else (x, y, factor)))


def _clicked(key: str, part: str, write: Callable[[Clicked], None] | None) -> None:
    click = events(key).clicked
    if click is None:
        return
    if write is not None:
        _try(lambda: write(click))
    else:
        _try(lambda: state.change(part, click=(click.x, click.y, min(1.0, max(0.0, click.t)))))


def _moved(key: str, write: Callable[[Moved], None]) -> None:
    moved = events(key).moved
    if moved is not None:
        _try(lambda: write(moved), settle=moved.phase == "done")


def _move_z(moved: Moved) -> None:
    if moved.name == "z":
        state.change("path", z=(moved.x, moved.y))


def _boxed(key: str, write: Callable[[Boxed], None] | None) -> None:
    boxed = events(key).boxed
    if boxed is not None and write is not None:
        _try(lambda: write(boxed), settle=boxed.phase == "done")


def _edited(key: str) -> None:
    edited = events(key).edited
    if edited is None or edited.mixture not in ("data", "init"):
        return
    which: Literal["data", "init"] = "data" if edited.mixture == "data" else "init"
    before: Scene = st.session_state.setdefault(BEFORE_DRAG, state.current().scene)

    def edit() -> None:
        components = tuple(Component.from_row(row) for row in edited.components)
        state.put(state.current().scene.with_mixture(which, components), remember=False)

    _try(edit, settle=edited.phase == "done")
    if edited.phase == "done":
        del st.session_state[BEFORE_DRAG]
        if state.current().scene != before:
            state.remember_scene(before)


def _try(change: Callable[[], None], *, settle: bool = True) -> None:
    """Makes a change that the browser asked for; one that does not fit the model's ranges is not made."""
    try:
        change()
    except ValidationError:
        st.session_state[SETTLED] = True
        return
    if settle:
        _settle()
