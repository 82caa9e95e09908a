"""The page Noise as Streamlit runs it: its four views, every control, both languages, the checks and the code."""

import pytest

from fmviz.app.catalogue import translate
from fmviz.app.choices import State, decode, encode
from fmviz.app.state import STATE
from fmviz.lessons.noise.page import controls
from fmviz.lessons.noise.settings import PROCESSES, SHOWN
from fmviz.lessons.noise.settings import Settings as NoiseSettings
from fmviz.scene import Scene, Shell
from fmviz.stage.events import Moved
from tests.app.test_app import errors, open_app

PAGE = "pages/noise.py"
SMALL = Scene(count=60, data="two_modes")


def open_noise(state: State):
    app = open_app("start", state)
    app.switch_page(PAGE).run()
    assert not app.exception
    return app


def chosen(app) -> NoiseSettings:
    return app.session_state[STATE].noise


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_view_runs_with_its_charts(language):
    app = open_noise(State(scene=SMALL, shell=Shell(language=language), noise=NoiseSettings(layers=("walks",))))
    assert app.header[0].value == translate(language, "noise.title")
    charts = {"brownian": 2, "ou": 4, "collapse": 0, "langevin": 2}
    for process in PROCESSES:
        if process != "brownian":
            app.segmented_control(key=controls.CHOSEN).set_value(process).run()
            assert chosen(app).layers == SHOWN
        assert chosen(app).process == process
        assert not app.exception
        assert not errors(app)
        assert len(app.get("vega_lite_chart")) == charts[process]
        said = " ".join(m.value for m in app.markdown)
        assert translate(language, f"noise_{process}.notice.predict") in said


def test_controls_of_the_processes_and_the_orders():
    app = open_noise(State(scene=SMALL))
    app.select_slider(key="noise.grid").set_value(8).run()
    app.segmented_control(key=controls.CHOSEN).set_value("ou").run()
    app.slider(key="noise.theta").set_value(2.5).run()
    app.slider(key="noise.sigma").set_value(0.0).run()
    app.slider(key="noise.time").set_value(6.0).run()
    app.select_slider(key="noise.em_steps").set_value(24).run()
    assert not app.exception
    assert not errors(app)
    orders = [
        [float(row.iloc[1].split(" ")[0]) - float(row.iloc[2]) for _, row in t.value.iterrows()] for t in app.table
    ]
    assert len(orders) == 2
    assert all(abs(gap) < 0.15 for gaps in orders for gap in gaps)
    app.segmented_control(key=controls.CHOSEN).set_value("collapse").run()
    assert not app.exception
    assert translate("en", "error.positive", name="`σ`") in errors(
        app
    )  # without noise there is no time sigma² t: the stage says so
    app.slider(key="noise.sigma").set_value(1.5).run()
    assert not errors(app)
    assert len(app.table[0].value) == 3
    app.segmented_control(key=controls.CHOSEN).set_value("langevin").run()
    app.selectbox(key="noise.langevin_start").set_value("mode").run()
    app.slider(key="noise.langevin_sigma").set_value(2.0).run()
    app.select_slider(key="noise.langevin_time").set_value(50).run()
    app.select_slider(key="noise.langevin_steps").set_value(50).run()
    assert not app.exception
    assert len(app.warning) == 1  # the step is longer than Euler-Maruyama can take
    view = chosen(app)
    assert (view.grid, view.theta, view.sigma, view.time, view.em_steps) == (8, 2.5, 1.5, 6.0, 24)
    assert (view.langevin_start, view.langevin_sigma, view.langevin_time, view.langevin_steps) == ("mode", 2.0, 50, 50)


def test_check_and_code():
    app = open_noise(State(scene=Scene(count=60, data="two_modes"), noise=NoiseSettings(process="langevin")))
    app.session_state["check_noise"] = True
    app.session_state["code_noise"] = True
    app.run()
    assert not app.exception
    ou, variation, identities, long = (table.value for table in app.table)
    for column in (1, 3):
        for measured, band in zip(ou.iloc[:, column].astype(float), ou.iloc[:, column + 1], strict=True):
            exact, error = (float(part) for part in band.split(" ± "))
            assert abs(measured - exact) <= 2.5 * error
    assert len(variation) == 4
    assert identities.iloc[0, 0] == "0"
    assert float(long.iloc[0, 3]) < 2.0 < float(long.iloc[1, 3])  # alike by symmetry; from one mode nobody crosses
    assert "solve_sde" in app.code[0].value


def test_presenting_keeps_the_stage_only():
    app = open_noise(State(scene=SMALL, shell=Shell(present=True)))
    assert len(app.table) == len(app.subheader) == len(app.get("vega_lite_chart")) == 0


def test_a_dragged_start_moves_what_its_panel_shows():
    app = open_noise(State(scene=SMALL, noise=NoiseSettings(process="ou")))
    state = app.session_state[STATE]
    assert state.noise.start == (2.0, 1.0)
    seen = []

    def change(part: str, **updates: object) -> None:
        seen.append((part, updates))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(controls.state, "current", lambda: state)
        patch.setattr(controls.state, "change", change)
        controls.move_start(Moved("start", 3.0, -1.5, "done", 1))
        controls.move_start(Moved("plane_start", 0.5, 0.25, "done", 2))
        controls.move_start(Moved("z", 0.5, 0.25, "done", 3))
    assert seen == [("noise", {"start": (-1.5, 1.0)}), ("noise", {"start": (0.5, 0.25)})]


def test_a_link_keeps_the_view_and_refuses_what_it_cannot_be():
    view = NoiseSettings(
        process="ou", theta=0.7, sigma=0.3, start=(-1.5, 0.25), em_steps=24, time=2.5, layers=("walks", "band")
    )
    state = State(noise=view)
    assert decode(encode(state)) == (state, ())
    found, bad = decode({"process": "langevin", "ousteps": "7", "bmsteps": "3", "outheta": "0", "lvsteps": "100"})
    assert set(bad) == {"ousteps", "bmsteps", "outheta"}
    assert found.noise == NoiseSettings(process="langevin", langevin_steps=100)
