"""Noise: Brownian motion, Ornstein-Uhlenbeck, Euler-Maruyama and Langevin dynamics."""

import streamlit as st

from fmviz.specs.noise_script import noise_script
from fmviz.ui import lesson, noise, noise_charts, noise_checks, noise_clips, player, state

current = state.current()
process = current.noise.process
span = noise_clips.span(current.noise)
view = player.visit_view(f"noise_{process}", "noise", span=span)


def show() -> None:
    player.player(
        f"noise_{process}_stage",
        "noise",
        lambda: noise_clips.payload(state.current(), view),
        moved=noise.move_start,
        span=span,
    )


lesson.opening("noise", strip=f"noise_{process}", between=lambda: noise.chooser(current))
if current.shell.present:
    show()
else:
    stage, controls = st.columns([17, 4], gap="medium")
    with stage:
        show()
    with controls:
        noise.controls(current)
    noise_charts.evidence(current)
lesson.notice(f"noise_{process}")
lesson.check("noise", lambda: noise_checks.table(current))
lesson.code("noise", lambda: noise_script(current.scene, current.noise))
