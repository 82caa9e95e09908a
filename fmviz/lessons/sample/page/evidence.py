"""Final samples against p_data, beside the stage of the page Sample: mode occupancy, distances, likelihood."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from fmviz.app import measured, state
from fmviz.app.altair import show_altair
from fmviz.app.catalogue import number
from fmviz.app.choices import State
from fmviz.app.i18n import tr
from fmviz.app.network import Learned
from fmviz.cache import shared
from fmviz.clips.clip import Floats
from fmviz.clips.paths import as_array
from fmviz.errors import FmvizError
from fmviz.lessons.sample.charts.likelihood import likelihood as likelihood_chart
from fmviz.lessons.sample.charts.occupancy import occupancy, table
from fmviz.lessons.sample.compute import results, samples
from fmviz.lessons.sample.compute.clips import Sampler, exact_along
from fmviz.lessons.sample.compute.results import Measured
from fmviz.scene import Scene, scenes

__all__ = ["final_samples", "likelihood"]


@shared
def _occupied(scene: Scene, how: Sampler, learned: Learned | None) -> dict[str, tuple[Floats, int]]:
    """Occupancy and lost points of each sampler ("ode", "sde") on one field."""
    data = scenes.mixture(scene, "data")
    return {
        name: (samples.occupancy(data, ends), samples.diverged_count(ends))
        for name, ends in results.ends(scene, how, learned).items()
    }


def _name(sampler: str, learned: Learned | None) -> str:
    return tr(f"sample.{sampler}_{'exact' if learned is None else 'learned'}")


def final_samples(current: State, found: Learned | None) -> None:
    """Bars of mode occupancy, and distances beside their floor when they are opened; a scene without a picture has neither."""
    how = results.sampler(current.sample)
    fields = results.fields(current.sample, found)
    try:
        rows = {
            (name, learned): values
            for learned in fields
            for name, values in _occupied(current.scene, how, learned).items()
        }
    except FmvizError:
        return
    left, right = st.columns(2, gap="large")
    with left:
        st.subheader(tr("sample.occupancy"), anchor=False)
        weights = as_array(scenes.mixture(current.scene, "data").weights)
        looks = {_name(name, learned): (name, learned is not None) for name, learned in rows}
        component, share = tr("sample.component"), tr("sample.share")
        show_altair(
            lambda ground: occupancy(looks, ground, component=component, share=share),
            of=tuple(looks.items()),
            description=tr("sample.occupancy_alt"),
            key="occupancy",
            rows=table(weights, {_name(*which): shares for which, (shares, _) in rows.items()}),
        )
        st.caption(tr("sample.occupancy_claim"))
    with right:
        for (name, learned), (_, lost) in rows.items():
            if lost:
                text = tr("sample.lost", n=lost, which=_name(name, learned))
                st.warning(text, icon=":material/explosion:")
        opened = st.expander(
            tr("sample.distances"), icon=":material/straighten:", on_change="rerun", key="sample_distances"
        )
        if opened.open:
            with opened:
                measured.show(
                    "sample_distances_found",
                    results.distances,
                    current.scene,
                    how,
                    fields,
                    draw=lambda found: _distance_table(current, fields, found),
                    height=230,
                )


def _distance_table(current: State, fields: Sequence[Learned | None], measured: Measured) -> None:
    found = {
        (name, learned): distances
        for learned, of in zip(fields, measured.of, strict=True)
        for name, distances in of.items()
    }
    floor = measured.floor
    spread = f"{number(floor.negative_log_likelihood)} ± {2.0 * floor.negative_log_likelihood_error:.2g}"
    st.table(
        {
            "": [_name(name, learned) for name, learned in found] + [tr("sample.floor")],
            tr("sample.sliced"): [*(number(d.sliced) for d in found.values()), number(floor.sliced)],
            tr("sample.energy"): [*(number(d.energy) for d in found.values()), number(floor.energy)],
            tr("sample.surprise"): [*(number(d.negative_log_likelihood) for d in found.values()), spread],
        },
        border="horizontal",
        hide_index=True,
    )
    counts = {"n": current.scene.count, "pairs": samples.PAIRS}
    st.caption(tr("sample.distances_claim", **counts), help=tr("sample.distances_help", **counts))


def likelihood(current: State, found: Learned | None) -> None:
    """log p at the clicked point, followed along the flow, against the exact one (T46)."""
    click = current.sample.click
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(tr("sample.likelihood"), anchor=False)
        if click is not None:
            st.space("stretch")
            st.button(
                tr("paths.forget_click"),
                icon=":material/close:",
                key="forget_sample_click",
                on_click=lambda: state.change("sample", click=None),
            )
    if click is None:
        st.caption(tr("sample.likelihood_hint"))
        return
    how = results.sampler(current.sample)
    path = scenes.path(current.scene)
    try:
        followed = {
            learned: results.likelihood(current.scene, how, learned, click)
            for learned in results.fields(current.sample, found)
        }
        true = exact_along(path, click)
    except FmvizError:
        return
    left, right = st.columns(2, gap="large")
    curves = {tr("sample.log_exact"): (true.times.tolist(), true.log_density.tolist(), "path", False)}
    for learned, along in followed.items():
        role = "velocity" if learned is None else "learned"
        name = tr("sample.log_flow_exact" if learned is None else "sample.log_flow_learned")
        curves[name] = (along.times.tolist(), along.log_density[:, 0].tolist(), role, True)
    with left:
        show_altair(
            lambda ground: likelihood_chart(curves, click[2], ground, value="log p"),
            of=(current.scene, how, tuple(followed), click),
            description=tr("sample.likelihood_alt"),
            key="likelihood",
        )
    with right:
        st.markdown(tr("sample.likelihood_at", x=number(click[0]), y=number(click[1]), t=number(click[2])))
        names = [*list(curves)[1:], tr("sample.log_exact")]
        values = [*(float(along.value) for along in followed.values()), true.value]
        table = {"": names, tr("sample.log_value"): [f"{value:.4f}" for value in values]}
        st.table(table, border="horizontal", hide_index=True)
        st.caption(tr("sample.likelihood_claim", method=tr(f"solver.{how.method}"), steps=how.steps))
