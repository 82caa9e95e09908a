"""The page Theory: all laws by name, searched, opened at the law that a lesson names."""

import pytest

from fmviz.app.catalogue import translate
from fmviz.app.choices import State
from fmviz.app.laws import law, sections
from fmviz.lessons.theory.settings import Settings
from fmviz.scene import Scene, Shell
from tests.app.test_app import open_app

PAGE = "pages/theory.py"


def open_theory(state: State | None = None):
    app = open_app("start", state)
    app.switch_page(PAGE).run()
    assert not app.exception
    return app


def headings(app) -> list[str]:
    return [m.value.split(" :gray[")[0].removeprefix("#### ") for m in app.markdown if m.value.startswith("####")]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_law_is_there_by_both_names(language):
    app = open_theory(State(shell=Shell(language=language)))
    assert headings(app) == [entry.english for part in sections() for entry in part.laws]
    text = " ".join(m.value for m in app.markdown)
    assert all(entry.chinese in text for part in sections() for entry in part.laws)


def test_search_keeps_what_has_every_word_and_says_when_nothing_has():
    app = open_theory()
    app.text_input(key="theory.search").set_value("langevin invariant").run()
    assert headings(app) == [law(10).english]
    app.text_input(key="theory.search").set_value("朗之万").run()
    assert law(10).english in headings(app)
    app.text_input(key="theory.search").set_value("no such law").run()
    assert headings(app) == []
    assert [info.value for info in app.info] == [translate("en", "theory.none")]


def test_a_link_opens_at_its_law_and_keeps_the_scene():
    app = open_theory(State(scene=Scene(data="moons"), theory=Settings(law=20)))
    assert headings(app)[0] == law(20).english
    assert len(headings(app)) == len(set(headings(app)))
    assert app.query_params["data"] in ("moons", ["moons"])


def test_a_number_that_no_law_has_opens_the_page():
    app = open_theory(State(theory=Settings(law=99)))
    assert headings(app)[0] == law(1).english


def test_lessons_name_their_laws_with_links():
    app = open_app("paths", State(scene=Scene(data="moons")))
    links = {link.proto.label: link.proto for link in app.get("page_link")}
    assert law(16).english in links
    assert "read=16" in links[law(16).english].query_string
    assert "data=moons" in links[law(16).english].query_string
