"""The page Conservation as Streamlit runs it: every choice, the box's numbers, broken laws, the sheet, the script."""

import contextlib
import io

import pytest

from fmviz.app.catalogue import translate
from fmviz.app.choices import State
from fmviz.app.state import STATE
from fmviz.lessons.conservation.script import conservation_script
from fmviz.lessons.conservation.settings import Settings as ConservationSettings
from fmviz.scene import Scene, Shell
from tests.app.test_app import errors, open_app

PAGE = "pages/conservation.py"
SMALL = Scene(count=20)


def open_conservation(state: State):
    app = open_app("start", state)
    app.switch_page(PAGE).run()
    assert not app.exception
    return app


def value(text: str) -> float:
    return float(text.replace("·10", "e").translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")))


def box_numbers(app) -> dict[str, float]:
    """P, dP/dt, −Φ and their difference, as the page shows them."""
    shown = app.table[0].value.iloc[:, -1]
    return dict(zip(("mass", "rate", "inflow", "mismatch"), map(value, shown), strict=True))


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_choice_and_the_broken_laws_in_numbers(language):
    app = open_conservation(State(shell=Shell(language=language), scene=SMALL, clock={"t": 0.6}))
    assert app.header[0].value == translate(language, "conservation.title")
    assert translate(language, "conservation.box.title", t=0.6) in [s.value for s in app.subheader]
    true = box_numbers(app)
    assert true["mismatch"] < 1e-6
    assert true["rate"] == true["inflow"] != 0
    app.segmented_control(key="conservation.broken").set_value("velocity").run()
    fast = box_numbers(app)
    assert fast["rate"] == true["rate"]
    assert fast["mismatch"] == pytest.approx(0.1 * abs(true["rate"]), rel=0.01)
    app.segmented_control(key="conservation.broken").set_value("score").run()
    assert box_numbers(app)["mismatch"] > 0.01
    app.segmented_control(key="conservation.broken").set_value("none").run()
    app.segmented_control(key="conservation.kind").set_value("conditional").run()
    assert box_numbers(app)["mismatch"] < 1e-6
    assert box_numbers(app)["mass"] != true["mass"]
    app.segmented_control(key="conservation.law").set_value("continuity").run()
    assert box_numbers(app)["mismatch"] < 1e-6
    assert "score" not in app.segmented_control(key="conservation.broken").options
    app.segmented_control(key="conservation.norm").set_value("max").run()
    assert not app.exception
    assert not errors(app)


def test_check_code_and_sheet_open():
    app = open_conservation(State(scene=SMALL, conservation=ConservationSettings(broken="score")))
    app.session_state["check_conservation"] = app.session_state["code_conservation"] = True
    app.toggle(key="conservation.sheet").set_value(True).run()
    assert not app.exception
    assert app.session_state[STATE].conservation.sheet
    assert translate("en", "conservation_summary.title") in [s.value for s in app.subheader]
    law, autodiff = app.table[-2].value, app.table[-1].value
    assert [value(v) < 1e-6 for v in law.iloc[:, 1]] == [True, True]  # criterion 1: the true law
    assert [value(v) > 0.01 for v in law.iloc[:, 2]] == [True, True]
    assert max(map(value, autodiff.iloc[0])) < 1e-9
    assert "mass_rate" in app.code[0].value


def test_a_point_mass_at_the_end_has_no_numbers_and_presenting_no_prose():
    end = State(scene=SMALL, clock={"t": 1.0}, conservation=ConservationSettings(kind="conditional"))
    app = open_conservation(end)
    assert list(app.table[0].value.iloc[:, -1]) == ["–"] * 4
    app = open_conservation(end.model_copy(update={"shell": Shell(present=True)}))
    assert len(app.table) == len(app.subheader) == len(app.toggle) == 0
    assert len(app.segmented_control) == 0


def test_a_velocity_infinite_at_the_end_stops_only_the_solver_that_looks_there():
    state = State(scene=Scene(count=20, scheduler="sqrt", init="ring5"))
    app = open_conservation(state)  # Euler-Maruyama's last look is before t = 1
    assert not errors(app)
    app.segmented_control(key="conservation.law").set_value("continuity").run()
    assert translate("en", "error.singular_source") in errors(app)
    assert not app.exception


@pytest.mark.parametrize(
    ("scene", "view"),
    [
        (Scene(), ConservationSettings()),
        (Scene(init="moons", scheduler="trig"), ConservationSettings(kind="conditional", z=(1, 2), broken="velocity")),
        (Scene(data="moons"), ConservationSettings(kind="conditional", law="continuity")),
    ],
)
def test_the_script_runs_as_it_stands(scene, view):
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(compile(conservation_script(scene, view), "script", "exec"), {})
    lines = {line.split("  ")[0]: line for line in said.getvalue().splitlines()}
    assert {"rate", "residual", "mass in the box"} <= {name.strip() for name in lines}


def test_a_path_that_stands_still_for_a_moment_is_drawn():
    """From two modes to the same two modes by the linear scheduler: at t = 1/2 every term of the equation is 0."""
    scene = Scene(data="two_modes", init="two_modes", sigma="zero", count=20)
    app = open_app("start", State(scene=scene))
    app.switch_page(PAGE).run()
    assert not app.exception
    assert errors(app) == ""
