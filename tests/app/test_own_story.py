"""A lecturer's own story: collecting it, changing it, saving and opening it, and what is refused."""

import json
import zlib
from base64 import urlsafe_b64encode

import pytest
from streamlit.testing.v1 import AppTest

from fmviz.app.catalogue import translate
from fmviz.app.choices import State
from fmviz.app.own_story import MAX_BYTES, MAX_MOMENTS, Moment, OwnStory, StoryError, packed, read, unpacked, written
from fmviz.app.state import STATE
from fmviz.app.tabs import TAB
from fmviz.scene import Scene
from tests.app.test_app import APP, open_app, scene

FIRST = Moment(page="flows", link="flow=saddle&t=0.5", sentence="先看流")
SECOND = Moment(page="paths", link="sched=trig", sentence="Then the path.")
THIRD = Moment(page="start", link="")
STORY = OwnStory(moments=(FIRST, SECOND, THIRD))


def pages(story: OwnStory) -> list[str]:
    return [moment.page for moment in story.moments]


def test_a_file_and_a_link_hold_the_whole_story():
    assert read(written(STORY)) == STORY
    assert read(written(STORY).encode()) == STORY
    text = packed(STORY)
    assert text is not None
    assert text.replace("-", "").replace("_", "").isalnum(), "it survives an address"
    assert unpacked(text) == STORY


def test_a_story_that_is_too_long_for_a_link_has_none():
    alphabet = [chr(0x4E00 + i) for i in range(3000)]
    long = [Moment(page="flows", link="", sentence="".join(alphabet[70 * k : 70 * k + 70])) for k in range(40)]
    assert packed(OwnStory(moments=tuple(long))) is None


def test_moments_are_added_moved_said_otherwise_and_taken_out():
    assert pages(STORY.moved(2, -1)) == ["flows", "start", "paths"]
    assert pages(STORY.moved(0, -1)) == pages(STORY.moved(2, 1)) == pages(STORY)
    assert pages(STORY.without(1)) == ["flows", "start"]
    assert STORY.saying(1, "  Other words. ").moments[1].sentence == "Other words."
    assert len(STORY.saying(1, "x" * 1000).moments[1].sentence) == 300
    full = OwnStory(moments=(FIRST,) * MAX_MOMENTS)
    assert full.with_moment(SECOND) == full
    assert pages(STORY.with_moment(FIRST))[-1] == "flows"


def changed(**values: object) -> str:
    story = json.loads(written(STORY))
    story["moments"][0] |= values
    return json.dumps(story)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "null",
        "{",
        b"\xff\xfe\x00",
        '{"fmviz_story": 2, "moments": []}',
        '{"fmviz_story": 1, "moments": [{}]}',
        changed(page="nowhere"),
        changed(page="../app"),
        changed(link="sched=nonsense"),
        changed(link="unknown=1"),
        changed(link="t=NaN"),
        changed(sentence="x" * 301),
        changed(sentence=5),
        changed(more="x"),
        json.dumps({"fmviz_story": 1, "moments": [json.loads(FIRST.model_dump_json())] * (MAX_MOMENTS + 1)}),
        "[" * 100_000,
    ],
)
def test_what_is_no_story_is_refused(text):
    with pytest.raises(StoryError) as refused:
        read(text)
    assert refused.value.key == "story_file"


def test_a_file_that_is_too_large_is_refused_before_it_is_read():
    with pytest.raises(StoryError) as refused:
        read("[" * (MAX_BYTES + 1))
    assert refused.value.key == "story_large"


@pytest.mark.parametrize("text", ["", "!", "AAAA", "a" * 7000, packed(STORY)[:-8], "é"])
def test_a_link_that_holds_no_story_is_refused(text):
    with pytest.raises(StoryError):
        unpacked(text)


def test_a_link_that_would_unpack_to_gigabytes_is_refused():
    bomb = urlsafe_b64encode(zlib.compress(b" " * 3_000_000, 9)).decode()
    assert len(bomb) < 6000
    with pytest.raises(StoryError) as refused:
        unpacked(bomb)
    assert refused.value.key == "story_large"


def unfold(app: AppTest) -> None:
    """Opens the popover, which a change of the page closes."""
    app.session_state["story"] = True
    app.run()


def test_a_story_is_collected_told_over_pages_and_ended():
    app = open_app("paths", State(scene=Scene(scheduler="trig")))
    unfold(app)
    app.button(key="story_add").click().run()
    app.switch_page("pages/flows.py").run()
    app.selectbox(key="scene.data").set_value("moons").run()
    unfold(app)
    app.button(key="story_add").click().run()
    app.text_input(key="story_sentence_1").set_value("**Now** the flow").run()
    assert [moment.page for moment in app.session_state[TAB].belongings["own_story"].moments] == ["paths", "flows"]

    app.button(key="story_tell").click().run()
    assert app.header[0].value == translate("en", "paths.title")
    assert scene(app) == Scene(scheduler="trig")
    app.button(key="beat_next").click().run()
    assert app.header[0].value == translate("en", "flows.title")
    assert scene(app).data == "moons"
    assert "**Now** the flow" in [text.value for text in app.text], "words from outside are no Markdown"
    app.button(key="story_end").click().run()
    assert app.session_state[STATE].shell.beat is None
    unfold(app)
    app.button(key="story_up_1").click().run()
    app.button(key="story_out_1").click().run()
    assert [moment.page for moment in app.session_state[TAB].belongings["own_story"].moments] == ["flows"]
    assert not app.exception


def test_a_link_opens_the_story_in_it_and_a_broken_one_is_reported():
    app = AppTest.from_file(APP, default_timeout=60)
    app.query_params["story"] = packed(STORY)
    app.run()
    assert app.header[0].value == translate("en", "flows.title")
    assert app.session_state[STATE].shell.beat == "own.1"
    assert "story" not in app.query_params

    app = AppTest.from_file(APP, default_timeout=60)
    app.query_params["story"] = "nonsense"
    app.run()
    assert "story" in [text.value for text in app.text]
    assert app.session_state[STATE] == State()
