"""The page for slides: self-contained, and nothing in it can break out of its place."""

from __future__ import annotations

import base64
import dataclasses
import re

import pytest

from fmviz.errors import ParameterError
from fmviz.stage.assets import SCRIPTS, script, style
from fmviz.stage.payload import View, encode
from fmviz.stage.standalone import standalone_html
from tests.stage.scenes import english, small_clip


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


def test_not_a_payload() -> None:
    with pytest.raises(ParameterError):
        standalone_html(b"nothing", "t", "en")
