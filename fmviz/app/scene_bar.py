"""The Scene in the sidebar: the same on every page."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import partial

import streamlit as st

from fmviz.app import bound, clips, state
from fmviz.app.components_table import components_table
from fmviz.app.explain import explain
from fmviz.app.i18n import tr
from fmviz.app.order import picture_first
from fmviz.app.pictures import show_png, show_svg
from fmviz.app.press import ignore_duplicate_press
from fmviz.app.theme import theme
from fmviz.cache import shared
from fmviz.charts.palette import Theme
from fmviz.charts.sparkline import sparkline
from fmviz.charts.thumbnail import thumbnail
from fmviz.clips.thumbnails import density_image
from fmviz.errors import ScheduleError
from fmviz.scene import Component, Scene, scenes
from fmviz.scene.scene import INITS, PRESETS, SCENE_PARTS, SCHEDULERS, SIGMAS, MixtureName, PresetName, ScenePart

__all__ = ["scene_bar"]

SCHEDULE_ERROR = "fmviz_schedule_error"


def scene_bar(used: Collection[ScenePart]) -> None:
    """Draws the Scene: the parts that the page uses, then the others in a fold.

    Args:
        used: the parts that act on what the page shows.
    """
    scene = state.current().scene
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(tr("scene.heading"), anchor=False)
        st.space("stretch")
        st.button(
            tr("scene.undo"),
            icon=":material/undo:",
            on_click=picture_first(ignore_duplicate_press(state.undo)),
            disabled=not state.undoable(),
            help=tr("scene.undo_help"),
            shortcut="z",
            key="undo",
            type="tertiary",
        )
    for part in SCENE_PARTS:
        if part in used:
            DRAWN[part](scene)
    if not set(SCENE_PARTS) <= set(used):
        with st.expander(tr("scene.unused"), icon=":material/visibility_off:", key="scene_unused"):
            for part in SCENE_PARTS:
                if part not in used:
                    DRAWN[part](scene)
    components_table()
    st.button(
        tr("scene.reset"),
        icon=":material/restart_alt:",
        on_click=picture_first(state.put, Scene()),
        type="tertiary",
        key="reset",
    )


def _sigma(scene: Scene) -> None:
    bound.choose("scene", "sigma", tr("scene.sigma"), SIGMAS, "sigma")
    if scene.sigma != "zero":
        bound.slide("scene", "amplitude", tr("scene.amplitude"), 0.0, 5.0, 0.05)
    if scene.sigma == "reversal":
        st.caption(tr("scene.reversal_note"))


def _particles(_: Scene) -> None:
    bound.slide("scene", "count", tr("scene.count"), 10, 2000, 10)
    _seeds()


def _pick(which: MixtureName, name: str) -> None:
    """A preset chosen anew also drops the edits of the old one."""
    state.change("scene", **{which: name, f"{which}_components": None})


def _data(scene: Scene) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        show_png(_picture(scene.data, scene.data_components, scene.seed_data), width=56, alt=tr(f"preset.{scene.data}"))
        with st.container(width="stretch"):
            bound.choose("scene", "data", tr("scene.data"), PRESETS, "preset", take=partial(_pick, "data"))
    gallery = st.popover(tr("scene.gallery"), icon=":material/apps:", on_change="rerun", key="gallery", width="stretch")
    if gallery.open:
        with gallery, st.grid(2, min_column_width=80, gap="xsmall"):
            for name in PRESETS:
                with st.container(horizontal_alignment="center", gap="xsmall"):
                    show_png(_picture(name, None, Scene().seed_data), width=72, alt=tr(f"preset.{name}"))
                    st.button(
                        tr(f"preset.{name}"),
                        key=f"pick_{name}",
                        on_click=picture_first(_pick, "data", name),
                        width="stretch",
                    )
    if scene.data_components is not None:
        _edited("data")


def _source(scene: Scene) -> None:
    bound.choose("scene", "init", tr("scene.init"), INITS, "preset", take=partial(_pick, "init"))
    if scene.init_components is not None:
        _edited("init")


def _edited(which: MixtureName) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge(tr("scene.edited"), icon=":material/edit:", color="orange")
        st.button(
            tr("scene.back_to_preset"),
            type="tertiary",
            key=f"preset_again_{which}",
            on_click=picture_first(_forget_edits, which),
        )


def _forget_edits(which: MixtureName) -> None:
    state.put(state.current().scene.with_mixture(which, None))


def _next_seed(field: str) -> None:
    state.change("scene", **{field: (getattr(state.current().scene, field) + 1) % 1_000_000})


def _schedule(scene: Scene) -> None:
    bound.choose("scene", "scheduler", tr("scene.scheduler"), SCHEDULERS, "scheduler")
    if scene.scheduler != "custom":
        st.session_state.pop(SCHEDULE_ERROR, None)
    if scene.scheduler == "polynomial":
        bound.slide("scene", "exponent", tr("scene.exponent"), 1.0, 6.0, 0.1)
    elif scene.scheduler == "vp":
        st.caption(tr("scene.vp_note"))
    elif scene.scheduler == "custom":
        _typed_schedule(scene)
    description = tr("scene.curves_alt")
    show_svg(_curves(scene, theme(), description), alt=description)


def _typed_schedule(scene: Scene) -> None:
    """Two fields for alpha and beta; what cannot be used is explained below them and changes nothing else."""
    for name, label in (("alpha", tr("scene.alpha")), ("beta", tr("scene.beta"))):
        key = f"typed.{name}"
        if SCHEDULE_ERROR not in st.session_state:
            bound.show(key, getattr(scene, name))
        change = bound.user_change(key, picture_first(_typed))
        st.text_input(label, key=key, on_change=change, persist_state="session")
    error: ScheduleError | None = st.session_state.get(SCHEDULE_ERROR)
    if error is not None:
        st.error(f"{explain(error)} {tr('schedule_error.unchanged')}", icon=":material/error:")


def _typed() -> None:
    alpha, beta = st.session_state["typed.alpha"], st.session_state["typed.beta"]
    try:
        scenes.scheduler(state.current().scene.model_copy(update={"scheduler": "custom", "alpha": alpha, "beta": beta}))
    except ScheduleError as error:
        st.session_state[SCHEDULE_ERROR] = error
    else:
        st.session_state.pop(SCHEDULE_ERROR, None)
        state.change("scene", alpha=alpha, beta=beta)


def _seeds() -> None:
    with st.container(horizontal=True):
        st.button(
            tr("scene.new_noise"),
            icon=":material/casino:",
            help=tr("scene.new_noise_help"),
            key="new_noise",
            on_click=picture_first(ignore_duplicate_press(_next_seed, "seed_noise")),
        )
        st.button(
            tr("scene.new_starts"),
            icon=":material/scatter_plot:",
            key="new_starts",
            on_click=picture_first(ignore_duplicate_press(_next_seed, "seed_start")),
        )
    with st.expander(tr("scene.seeds"), icon=":material/tag:"), st.grid(2):
        for field in ("seed_data", "seed_start", "seed_noise", "seed_network"):
            bound.number_input("scene", field, tr(f"scene.{field}"), 0, 999_999)


@shared
def _picture(name: PresetName, edited: tuple[Component, ...] | None, seed: int) -> bytes:
    """The density of p_data, of the preset `name` or as edited."""
    scene = Scene(data=name, data_components=edited, seed_data=seed)
    return thumbnail(density_image(scenes.mixture(scene, "data")))


@shared
def _curves(scene: Scene, ground: Theme, description: str) -> str:
    """The schedule and sigma_t as an SVG."""
    times, (alpha, beta, sigma) = clips.curves(scene)
    series = {"α": (alpha.values, "data"), "β": (beta.values, "init"), "σ": (sigma.values, "sde")}
    return sparkline(times, series, ground, description)


DRAWN: dict[ScenePart, Callable[[Scene], None]] = {
    "data": _data,
    "init": _source,
    "scheduler": _schedule,
    "sigma": _sigma,
    "particles": _particles,
}
