"""The page for slides: self-contained, and nothing in it can break out of its place."""

from __future__ import annotations

import base64
import dataclasses
import json
import re

import numpy as np
import pytest

from fmviz.clips.clip import Absent, Clip, Extent, Law, LawParticles, PlanePanel, Schedule
from fmviz.errors import ParameterError
from fmviz.stage.assets import SCRIPTS, script, style
from fmviz.stage.payload import View, decode_header, encode
from fmviz.stage.standalone import Choices, standalone_html
from tests.stage.scenes import english, f32, small_clip

CHOICES = Choices("Data", "Schedule", {"one": np.array([[1, 0, 1 / 3, 2, 0, 1]])}, {"lin": Schedule("linear")})


@pytest.fixture(scope="module")
def payload() -> bytes:
    clip = small_clip()
    labels = dataclasses.replace(english(clip), play="</script><script>alert(1)</script>")
    return encode(clip, labels, View())


def test_carries_the_clip_and_asks_for_nothing(payload: bytes) -> None:
    page = standalone_html(payload, "A title", "zh-CN")
    assert '<html lang="zh-CN">' in page
    found = re.search(r'<script id="clip"[^>]*>([^<]*)</script>', page)
    assert found is not None
    assert base64.b64decode(found[1]) == payload
    assert not re.findall(r"""(?:src|href)\s*=\s*["'](?!data:)""", page)
    assert not re.findall(r"https?://(?!www\.w3\.org/(?:2000/svg|1998/Math/MathML))", page)


def test_titles_are_escaped(payload: bytes) -> None:
    page = standalone_html(payload, '</title><script>alert("x")</script>', '"><script>')
    assert page.count("<script") == 2
    assert page.count("</script") == 2
    assert "&lt;/title&gt;&lt;script&gt;" in page


def test_sources_cannot_end_their_own_element() -> None:
    assert "</" not in script()
    assert "<!--" not in script()
    assert "</" not in style()


def test_the_player_never_builds_html_or_code() -> None:
    assert not re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function", script())
    assert script().count("export default") == 1


def test_each_script_is_one_concept() -> None:
    assert len(set(SCRIPTS)) == len(SCRIPTS)
    assert script().count("\n") < 400 * len(SCRIPTS)


def test_no_text_of_the_script_runs_over_several_lines() -> None:
    """Such a text would be changed where the indentation of the script is left out."""
    assert [line for line in script().split("\n") if line.count("`") % 2] == []


def test_not_a_payload() -> None:
    with pytest.raises(ParameterError):
        standalone_html(b"nothing", "t", "en")


def changeable(page: str) -> tuple[bool, object]:
    """Whether things on the page can be changed, and the choices it offers."""
    found = re.search(r"readOnly: (\w+), choices: (.*) \}\);", page)
    assert found is not None
    return found[1] == "false", json.loads(found[2])


def with_law(*, follows: bool) -> bytes:
    law = Law(np.array([[1.0, 0, 0, 1, 0, 1]]), np.array([[1.0, 0, 0, 1, 0, 1]]), Schedule("linear"), follows=follows)
    flow = LawParticles("ode", "ode", f32([[0, 1]]), "flow", positions=f32([[[0, 1]], [[1, 1]]]))
    panel = PlanePanel("a", "A", Extent(-1, 1, -1, 1), (flow, Absent("sde", "sde")))
    clip = Clip(f32([0, 1]), (panel,), law=law)
    return encode(clip, english(clip), View())


def test_a_page_can_be_changed_only_with_choices_and_a_law_that_follows(payload: bytes) -> None:
    offered = {
        "data_label": "Data",
        "schedule_label": "Schedule",
        "data": [{"label": "one", "rows": [[1.0, 0.0, 0.33333, 2.0, 0.0, 1.0]]}],
        "schedules": [{"label": "lin", "schedule": {"name": "linear", "parameters": []}}],
    }
    assert changeable(standalone_html(with_law(follows=True), "t", "en", choices=CHOICES)) == (True, offered)
    for rigid, choices in ((payload, CHOICES), (with_law(follows=False), CHOICES), (with_law(follows=True), None)):
        page = standalone_html(rigid, "t", "en", choices=choices)
        assert changeable(page) == (False, None)
        found = re.search(r'<script id="clip"[^>]*>([^<]*)</script>', page)
        assert found is not None
        assert base64.b64decode(found[1]) == rigid


def test_what_a_page_computes_itself_does_not_travel() -> None:
    whole = with_law(follows=True)
    page = standalone_html(whole, "t", "en", choices=CHOICES)
    found = re.search(r'<script id="clip"[^>]*>([^<]*)</script>', page)
    assert found is not None
    (flow,) = decode_header(base64.b64decode(found[1]))["panels"][0]["layers"]
    before = decode_header(whole)["panels"][0]["layers"]
    assert (before[0]["positions"]["count"], flow["positions"], flow["starts"]["count"]) == (4, None, 2)
    assert [layer["kind"] for layer in before] == ["particles", "absent"]


def test_the_stage_is_as_wide_as_asked_by_default_1600_pixels(payload: bytes) -> None:
    assert "main { max-width: 1600px;" in standalone_html(payload, "t", "en")
    assert "main { max-width: 1000px;" in standalone_html(payload, "t", "en", width=1000)
