"""The page Flows as Streamlit runs it: every field and control, the chart, the check, the script, both languages."""

import pytest

from fmviz.app import state
from fmviz.app.catalogue import translate
from fmviz.app.choices import State, decode, encode
from fmviz.app.state import STATE
from fmviz.lessons.flows.page import controls
from fmviz.lessons.flows.settings import FLOWS, MAX_STARTS, STARTS
from fmviz.lessons.flows.settings import Settings as FlowsSettings
from fmviz.stage.events import Clicked, Moved
from tests.app.test_app import errors, open_app

PAGE = "pages/flows.py"


def open_flows(chosen: State):
    app = open_app("start", chosen)
    app.switch_page(PAGE).run()
    assert not app.exception
    return app


def view(app) -> FlowsSettings:
    return app.session_state[STATE].flows


def test_every_control_of_the_page():
    app = open_flows(State())
    assert app.header[0].value == translate("en", "flows.title")
    assert app.get("vega_lite_chart")
    for field in FLOWS:
        app.selectbox(key="flows.field").set_value(field).run()
        assert not app.exception
        assert not errors(app)
        assert view(app).field == field
        if field == "shear":  # every solver is exact: nothing to draw
            assert translate("en", "flows.errors_none") in [info.value for info in app.info]
    assert not any(slider.key == "flows.rate" for slider in app.slider)
    app.selectbox(key="flows.field").set_value("rotation").run()
    app.slider(key="flows.rate").set_value(-1.5).run()
    app.select_slider(key="flows.steps").set_value(5).run()
    app.segmented_control(key="flows.beside").set_value("conditional").run()
    app.button(key="flows_clear").click().run()
    assert not app.exception
    assert view(app) == FlowsSettings(field="rotation", rate=-1.5, steps=5, beside="conditional", starts=())
    app.button(key="flows_reset").click().run()
    assert view(app).starts == STARTS
    app.selectbox(key="flows.field").set_value("linear").run()
    assert view(app).rate is None  # a parameter belongs to its field


@pytest.mark.parametrize(
    ("language", "chosen"),
    [
        ("en", FlowsSettings(starts=())),
        ("zh", FlowsSettings(field="rotation", solvers=("heun", "rk4"), steps=37, starts=((0.25, -1.0),))),
    ],
)
def test_check_and_code_from_a_link_in_both_languages(language, chosen):
    linked = State(flows=chosen)
    linked = linked.model_copy(update={"shell": linked.shell.model_copy(update={"language": language})})
    found, problems = decode(encode(linked))
    assert problems == ()
    assert found == linked
    app = open_flows(found)
    app.session_state["check_flows"] = app.session_state["code_flows"] = True
    app.run()
    assert not app.exception
    assert app.header[0].value == translate(language, "flows.title")
    assert app.select_slider(key="flows.steps").value == chosen.steps
    proofs, orders = (table.value for table in app.table)
    assert len(proofs) == 5
    measured, expected = orders.iloc[:, 3].astype(float), orders.iloc[:, 4].astype(float)
    assert (abs(measured - expected) < 0.15).all()
    assert f"analytic('{chosen.field}'" in app.code[0].value


def test_presenting_keeps_the_stage_only():
    chosen = State()
    app = open_flows(chosen.model_copy(update={"shell": chosen.shell.model_copy(update={"present": True})}))
    assert len(app.selectbox) == len(app.subheader) == 0
    assert not app.get("vega_lite_chart")


def test_clicks_launch_points_and_the_oldest_gives_way(monkeypatch):
    monkeypatch.setattr(state.st, "session_state", {})
    for i in range(MAX_STARTS):
        controls.launch(Clicked(0.1 * i, 0.5, 0.3, "field", i))
    starts = state.current().flows.starts
    assert len(starts) == MAX_STARTS
    assert starts[-1] == (0.5, 0.5)
    controls.move(Moved("start1", 1.0, -1.0, "done", 9))
    assert state.current().flows.starts == (starts[0], (1.0, -1.0), *starts[2:])
    controls.move(Moved("start7", 1.0, -1.0, "done", 10))  # a marker that is gone
    controls.move(Moved("z", 0.5, 0.25, "done", 11))
    assert state.current().path.z == (0.5, 0.25)
