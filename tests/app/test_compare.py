"""A and B: what is pinned, what differs, swapping, and hostile links."""

import pytest

from fmviz.app import compare
from fmviz.app.catalogue import translate
from fmviz.app.choices import State, decode, encode
from fmviz.app.state import STATE
from fmviz.errors import ParameterError
from fmviz.lessons.train.settings import Settings as TrainSettings
from fmviz.scene import Clock, Component, Scene, Shell
from fmviz.stage.payload import MAGIC, decode_header, live_part, pair
from tests.app.test_app import open_app, scene


def said(app) -> list[str]:
    return [text.value for text in app.text]


def test_the_present_state_is_pinned_and_what_is_changed_then_is_said():
    app = open_app("paths", State(scene=Scene(scheduler="trig")))
    app.button(key="compare_pin").click().run()
    assert translate("en", "compare.same") in said(app)
    app.selectbox(key="scene.scheduler").set_value("linear").run()
    app.selectbox(key="scene.data").set_value("moons").run()
    (text,) = said(app)
    assert text == "Data distribution: Ring of 8 | Moons · Noise scheduler: Trigonometric | Linear"

    app.button(key="compare_swap").click().run()
    assert scene(app) == Scene(scheduler="trig")
    assert said(app) == ["Data distribution: Moons | Ring of 8 · Noise scheduler: Linear | Trigonometric"]
    app.button(key="compare_unpin").click().run()
    assert app.session_state[STATE].shell.pinned is None
    assert scene(app) == Scene(scheduler="trig")
    app.button(key="undo").click().run()
    assert scene(app).data == "moons"


@pytest.mark.parametrize(("a", "b"), [(0.0, 0.0), (0.0, 0.995), (0.995, 0.0), (0.995, 0.995), (0.9, 0.0)])
@pytest.mark.parametrize("t", [0.0, 0.5])
def test_a_default_that_has_changed_is_that_of_its_own_side(a, b, t):
    clock = Clock(t=t)
    pinned = compare._link(State(clock=clock, train=TrainSettings(ema=a)))
    now = State(clock=clock, train=TrainSettings(ema=b), shell=Shell(pinned=pinned))
    with compare.state.standing_in(decode(encode(now))[0]):
        other, here = compare.pinned(), compare.state.current()
    assert (other.train.ema, here.train.ema) == (a, b)
    assert decode(encode(other))[0] == other


def test_an_old_link_of_two_sides_means_what_it_meant():
    with compare.state.standing_in(decode({"a": "", "obj": "noise"})[0]):
        assert (compare.pinned().train.ema, compare.state.current().train.ema) == (0.0, 0.0)


def test_both_pictures_travel_as_one():
    pinned = open_app("start", State(shell=Shell(pinned="data=moons")))
    shown = pinned.session_state["fmviz_last_payload.start_stage"]
    alone = open_app("start").session_state["fmviz_last_payload.start_stage"]
    moons = open_app("start", State(scene=Scene(data="moons"))).session_state["fmviz_last_payload.start_stage"]
    assert decode_header(live_part(shown))["clip"] == decode_header(alone)["clip"]
    assert shown.startswith(b"FMVP")
    length = int.from_bytes(shown[4:8], "little")
    assert decode_header(shown[8 : 8 + length])["clip"] == decode_header(moons)["clip"]


@pytest.mark.parametrize(
    ("a", "b", "page", "expected"),
    [
        ({}, {"amp": "2.5"}, "paths", ("Amplitude of: 1 | 2.5",)),
        ({"lr": "0.01"}, {}, "flows", ()),
        ({"t": "0.3", "layers": "density"}, {"t": "0.9"}, "paths", ()),
    ],
)
def test_what_differs_is_said_without_what_this_page_does_not_show(a, b, page, expected):
    one, other = decode(a)[0], decode(b)[0]
    found = compare_in_english(one, other, page)
    assert len(found) == len(expected)
    for text, start in zip(found, expected, strict=True):
        assert text.split(":")[1] == start.split(":")[1]


def compare_in_english(one: State, other: State, page: str) -> tuple[str, ...]:
    with compare.state.standing_in(other):
        return compare.differences(one, other, page)


def test_values_of_every_kind_have_words():
    one = State(scene=Scene(data_components=(Component(weight=1.0, x=0.0, y=0.0, xx=1.0, xy=0.0, yy=1.0),)))
    other = State(train=TrainSettings(objective="noise"))
    found = compare_in_english(one, other, "train")
    assert any("edited by hand | –" in text for text in found)
    assert any("|" in text and "noise" in text.lower() for text in found)


@pytest.mark.parametrize("text", ["sched=nonsense", "unknown=1", "%%%", "t=7"])
def test_an_unusable_side_is_left_out(text):
    app = open_app("start", State(shell=Shell(pinned=text)))
    assert not app.session_state["fmviz_last_payload.start_stage"].startswith(b"FMVP")
    assert not [button for button in app.button if button.key == "compare_swap"]
    assert not app.exception


def test_a_side_that_is_too_long_is_reported():
    assert decode({"a": "x" * 5000})[1] == ("a",)


def test_a_side_inside_a_side_is_not_opened():
    inner = encode(State(shell=Shell(pinned="a=data%3Dmoons&data=spiral")))
    app = open_app("start", decode(inner)[0])
    assert decode_header(live_part(app.session_state["fmviz_last_payload.start_stage"]))
    length = int.from_bytes(app.session_state["fmviz_last_payload.start_stage"][4:8], "little")
    assert app.session_state["fmviz_last_payload.start_stage"][8 : 8 + length].startswith(MAGIC)


def test_a_pair_is_made_of_two_single_payloads():
    with pytest.raises(ParameterError, match="pinned"):
        pair(b"no payload", MAGIC)
    with pytest.raises(ParameterError, match="live"):
        pair(MAGIC, pair(MAGIC, MAGIC))
    assert live_part(pair(MAGIC + b"one", MAGIC + b"two")) == MAGIC + b"two"
    assert live_part(MAGIC + b"one") == MAGIC + b"one"
