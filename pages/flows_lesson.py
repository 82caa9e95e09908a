"""Flows: vector fields, the exact flow, and what a solver's steps make of it."""

import streamlit as st

from fmviz.specs.flows_script import flows_script
from fmviz.ui import flows_bar, flows_charts, flows_checks, flows_clips, lesson, player, state

current = state.current()
view = player.visit_view("flows", "flows")


def stage() -> None:
    player.player(
        "flows_stage",
        "flows",
        lambda: flows_clips.payload(state.current(), view),
        moved=flows_bar.move,
        clicked=flows_bar.launch,
    )


lesson.opening("flows")
if current.shell.present:
    stage()
else:
    left, right = st.columns([17, 4], gap="medium")
    with left:
        stage()
    with right:
        flows_bar.controls(current)
flows_charts.errors(current)
lesson.notice("flows")
lesson.check("flows", lambda: flows_checks.table(current))
lesson.code("flows", lambda: flows_script(current.scene, current.flows))
