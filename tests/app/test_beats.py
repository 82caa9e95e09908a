"""The beats of the lessons: valid links, texts in both languages, and the way along them."""

from itertools import pairwise

import pytest

from fmviz.app import beats
from fmviz.app.beats import same_moment
from fmviz.app.catalogue import catalogue, translate
from fmviz.app.choices import State, decode, encode
from fmviz.app.state import STATE
from fmviz.lessons import LESSONS, READING
from fmviz.lessons.train.settings import Settings as TrainSettings
from fmviz.scene.views import LANGUAGES, Shell
from tests.app.test_app import open_app, scene

TOLD = [lesson.name for lesson in LESSONS if beats.beats(lesson.name)]
EVERY = [(name, beat) for name in TOLD for beat in beats.beats(name)]
WORDS = 35


def ids(value: object) -> str:
    return getattr(value, "name", str(value))


def test_every_lesson_but_the_reading_has_a_story():
    assert [lesson.name for lesson in LESSONS if lesson is not READING] == TOLD


@pytest.mark.parametrize("lesson", TOLD)
def test_a_story_has_four_to_seven_beats_and_asks(lesson):
    story = beats.beats(lesson)
    assert 4 <= len(story) <= 7
    assert len({beat.name for beat in story}) == len(story)
    assert sum(f"{lesson}.beats.{beat.name}_question" in catalogue("en") for beat in story) >= 2
    for one, other in pairwise(story):
        assert one.parameters != other.parameters, "nothing happens"


@pytest.mark.parametrize(("lesson", "beat"), EVERY, ids=ids)
def test_the_link_of_a_beat_is_valid_and_its_shortest(lesson, beat):
    state, problems = decode(beat.parameters)
    assert problems == ()
    assert list(encode(state).items()) == list(beat.parameters.items()), "as the address has it"
    assert not {"lang", "present", "beat"} & set(beat.parameters)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("lesson", "beat"), EVERY, ids=ids)
def test_a_beat_has_one_short_sentence_and_an_answer_to_its_question(language, lesson, beat):
    texts, key = catalogue(language), f"{lesson}.beats.{beat.name}"
    assert len(texts[key].split()) <= WORDS
    assert (f"{key}_question" in texts) == (f"{key}_answer" in texts)


def test_no_text_tells_of_a_beat_that_is_not_there():
    names = {f"{lesson}.beats.{beat.name}{part}" for lesson, beat in EVERY for part in ("", "_question", "_answer")}
    assert {key for key in catalogue("en") if ".beats." in key} <= names


def test_the_clock_and_the_zoom_do_not_leave_the_story():
    here = decode({"data": "moons", "t": "0.5"})[0]
    assert same_moment(here, decode({"data": "moons", "view": "0.5_0.5_2", "lang": "zh", "beat": "paths.1"})[0])
    assert not same_moment(here, decode({"data": "two", "t": "0.5"})[0])


@pytest.mark.parametrize(("lesson", "beat"), EVERY, ids=ids)
def test_a_beat_has_the_defaults_of_today_and_an_old_link_of_it_is_still_at_it(lesson, beat):
    assert beat.state.train.ema == TrainSettings().ema
    old = {name: value for name, value in beat.parameters.items() if name != "ema"}
    assert same_moment(decode(old)[0], beat.state)


def said(app) -> str:
    return app.markdown[0].value


def test_on_and_back_and_back_to_the_story():
    app = open_app("paths")
    first, second, *_ = beats.beats("paths")
    assert said(app) == translate("en", "paths.claim")
    app.button(key="beat_next").click().run()
    assert said(app).startswith(translate("en", f"paths.beats.{first.name}"))
    app.button(key="beat_next").click().run()
    assert app.session_state[STATE].shell.beat == "paths.2"
    assert same_moment(app.session_state[STATE], second.state)
    assert not [button for button in app.button if button.key == "beat_return"]

    app.selectbox(key="scene.data").set_value("moons").run()
    assert said(app).startswith(translate("en", f"paths.beats.{second.name}"))
    app.button(key="beat_return").click().run()
    assert same_moment(app.session_state[STATE], second.state)
    app.button(key="undo").click().run()
    assert scene(app).data == "moons", "what somebody made is not lost"

    app.button(key="beat_previous").click().run()
    assert app.session_state[STATE].shell.beat == "paths.1"
    assert app.button(key="beat_previous").disabled


@pytest.mark.parametrize("lesson", [lesson for lesson in LESSONS if beats.beats(lesson.name)], ids=lambda one: one.name)
def test_every_beat_is_told_in_chinese(lesson):
    """In English all of it is walked in the browser."""
    app = open_app(state=State(shell=Shell(language="zh")))
    if lesson != LESSONS[0]:
        app.switch_page(lesson.file).run()
    for number, beat in enumerate(beats.beats(lesson.name), start=1):
        app.button(key="beat_next").click().run()
        assert not app.exception
        assert app.session_state[STATE].shell == Shell(language="zh", beat=f"{lesson.name}.{number}")
        assert same_moment(app.session_state[STATE], beat.state)
        assert said(app).startswith(translate("zh", f"{lesson.name}.beats.{beat.name}"))
    assert app.button(key="beat_next").disabled


def test_language_and_presenting_stay_along_the_story():
    app = open_app("paths", State(shell=Shell(language="zh", present=True)))
    app.button(key="beat_next").click().run()
    assert app.session_state[STATE].shell == Shell(language="zh", present=True, beat="paths.1")


@pytest.mark.parametrize("beat", ["flows.1", "paths.99", "nowhere.1"])
def test_a_beat_that_this_page_does_not_have_is_none(beat):
    app = open_app("paths", State(shell=Shell(beat=beat)))
    assert said(app) == translate("en", "paths.claim")


@pytest.mark.parametrize("value", ["paths", "paths.0", "paths.-1", "paths.1.2", "a" * 100 + ".1", "<b>.1"])
def test_a_beat_that_is_none_is_reported(value):
    assert decode({"beat": value})[1] == ("beat",)
