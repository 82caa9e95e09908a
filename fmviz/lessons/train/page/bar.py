"""The controls of the page Train: what to do with the run, and the settings of the next one."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from fmviz.app import bound, state
from fmviz.app.catalogue import number
from fmviz.app.i18n import tr
from fmviz.app.press import ignore_duplicate_press
from fmviz.learning import RunStatus, recommended
from fmviz.learning.recommendation import GOALS
from fmviz.lessons.train.page import training
from fmviz.lessons.train.settings import (
    ACTIVATIONS,
    DEVICES,
    MAX_BATCH,
    MAX_STEPS,
    OBJECTIVES,
    OPTIMIZERS,
    SCALINGS,
    SCHEDULES,
    SCORE_WEIGHTINGS,
    T_SAMPLINGS,
    TIME_FEATURES,
    WEIGHTS,
)

__all__ = ["bar", "controls"]

RATES = tuple(m * 10.0**e for e in range(-5, 3) for m in (1.0, 3.0))[:-1]
WIDTHS, DEPTHS = (8, 16, 32, 64, 128, 256), (1, 2, 3, 4, 5, 6, 8)
RECOMMENDED = (
    "activation",
    "time_features",
    "scaling",
    "batch_size",
    "learning_rate",
    "steps",
    "schedule",
    "warm_up",
    "optimizer",
    "ema",
    "t_sampling",
    "gradient_clip",
)
EMAS, CLIPS = (0.0, 0.9, 0.95, 0.99, 0.995, 0.999), (None, 0.1, 1.0, 10.0)


def bar(run: RunStatus | None) -> None:
    """The run's buttons, in one row above the stage."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="xsmall", key="train_bar"):
        _go(run)
        _button("step", ":material/step_over:", training.single_step, disabled=run is not None and _ended(run))
        _button("reset", ":material/replay:", training.reset, disabled=run is None)
        _button("new", ":material/casino:", training.new_weights)
        if run is not None and run.state == "finished":  # last, so that no other button moves
            _button("more", ":material/fast_forward:", training.train_on)


def controls() -> None:
    """The objective, the learning rate, the weights that are shown, and all other settings."""
    bound.choose("train", "objective", tr("train.objective"), OBJECTIVES, "train.objectives")
    _rate()
    _weights()
    settings = st.popover(tr("train.settings"), icon=":material/tune:", on_change="rerun", key="train_settings")
    if settings.open:
        with settings:
            _settings()


def _ended(run: RunStatus) -> bool:
    return run.state in ("finished", "failed")


def _go(run: RunStatus | None) -> None:
    if run is not None and run.state in ("queued", "running"):
        what, icon, act = "pause", ":material/pause:", training.pause
    elif run is not None and run.state == "paused":
        what, icon, act = "resume", ":material/play_arrow:", training.start
    elif run is not None:
        what, icon, act = "again", ":material/play_arrow:", training.start
    else:
        what, icon, act = "start", ":material/play_arrow:", training.start
    st.button(
        tr(f"train.{what}"),
        icon=icon,
        on_click=ignore_duplicate_press(act),
        type="primary",
        key="train_go",
        width=162 if state.current().shell.present else 130,
        help=tr(f"train.{what}_help"),
    )


def _button(what: str, icon: str, act: Callable[[], None], *, disabled: bool = False) -> None:
    label, text = tr(f"train.{what}"), tr(f"train.{what}_help")
    st.button(label, icon=icon, on_click=ignore_duplicate_press(act), disabled=disabled, key=f"train_{what}", help=text)


def _rate() -> None:
    """The learning rate, which a running training follows."""
    key, rate = "train.learning_rate", state.current().train.learning_rate
    rates = sorted({*RATES, rate})
    st.select_slider(
        tr("train.rate"),
        rates,
        format_func=number,
        **bound.slider_value(key, rate, *rates),
        on_change=bound.user_change(key, lambda: training.set_rate(float(st.session_state[key]))),
        help=tr("train.rate_help"),
    )


def _weights() -> None:
    """Which network of the run is shown; a run without an average of its weights has only the raw ones."""
    key, view = "train.weights", state.current().train
    averages, texts = view.ema > 0.0, {weights: tr(f"train.weights.{weights}") for weights in WEIGHTS}
    bound.show(key, view.weights if averages else "raw")
    st.segmented_control(
        tr("train.weights_shown"),
        list(texts),
        format_func=texts.__getitem__,
        key=key,
        on_change=bound.user_change(key, lambda: state.change("train", weights=st.session_state[key])),
        disabled=not averages,
        help=tr("train.weights_help" if averages else "train.weights_none"),
        required=True,
    )


def _settings() -> None:
    view = state.current().train
    st.caption(tr("train.settings_help"))
    st.markdown(tr("train.recommended"))
    with st.container(horizontal=True, key="train_recommendations"):
        for goal in GOALS:
            st.button(
                tr(f"train.recommended_{goal}"),
                icon=":material/bolt:",
                on_click=ignore_duplicate_press(lambda goal=goal: _recommend(goal)),
                key=f"train_recommended_{goal}",
                help=tr(f"train.recommended_{goal}_help"),
            )
    with st.grid(2):
        _pick("width", WIDTHS)
        _pick("depth", DEPTHS)
        _named("activation", ACTIVATIONS)
        _named("time_features", TIME_FEATURES)
        _named("scaling", SCALINGS)
        _named("optimizer", OPTIMIZERS)
        _named("schedule", SCHEDULES)
        bound.slide("train", "warm_up", tr("train.setting.warm_up"), 0.0, 0.5, 0.01)
        bound.number_input("train", "batch_size", tr("train.setting.batch_size"), 1, MAX_BATCH)
        bound.number_input("train", "steps", tr("train.setting.steps"), 1, MAX_STEPS)
        _named("t_sampling", T_SAMPLINGS)
        _pick("ema", EMAS)
        _pick("gradient_clip", CLIPS)
        _named("device", DEVICES)
        if view.objective == "score":
            _named("score_weighting", SCORE_WEIGHTINGS)


def _recommend(goal: str) -> None:
    """The settings that reach a goal soonest; the objective stays."""
    spec = recommended(goal=goal)
    same = {field: getattr(spec, field) for field in RECOMMENDED}
    state.change("train", width=spec.hidden[0], depth=len(spec.hidden), **same)


def _named(field: str, options: tuple[str, ...]) -> None:
    bound.choose("train", field, tr(f"train.setting.{field}"), options, f"train.{field}")


def _pick(field: str, values: tuple[float | None, ...]) -> None:
    """A choice among a few numbers, and the one that a link brought."""
    key, chosen = f"train.{field}", getattr(state.current().train, field)
    bound.show(key, chosen)
    options = values if chosen in values else (*values, chosen)
    st.selectbox(
        tr(f"train.setting.{field}"),
        options,
        format_func=lambda value: tr("train.off") if not value else number(value),
        key=key,
        on_change=bound.user_change(key, lambda: state.change("train", **{field: st.session_state[key]})),
    )
