"""Sample: solvers at work on the exact and on a learned field, and whose error is whose."""

import streamlit as st

from fmviz.specs.script import sample_script
from fmviz.ui import error_map, learned, lesson, player, sample_checks, sample_clips, sample_evidence, sampler, state

current = state.current()
found = learned.latest(current.scene)
view = player.visit_view("sample", "sample")


def payload() -> bytes:
    """The network that the whole page shows, also when the stage alone is drawn again; another scene has its own."""
    now = state.current()
    return sample_clips.payload(now, found if now.scene == current.scene else learned.latest(now.scene), view)


lesson.opening("sample")
if current.shell.present:
    player.player("sample_stage", "sample", payload)
else:
    stage, controls = st.columns([17, 4], gap="medium")
    with stage:
        player.player("sample_stage", "sample", payload)
    with controls:
        sampler.controls(current, found)
if not current.shell.present:
    sample_evidence.final_samples(current, found)
    sample_evidence.likelihood(current, found)
    error_map.error_map(current, found)
lesson.notice("sample")
lesson.check("sample", lambda: sample_checks.table(current.scene))
lesson.code("sample", lambda: sample_script(current.scene, current.sample, learned=found is not None))
