"""The widget's script: by the protocol of anywidget alone, so that every front end that speaks it can play."""

from __future__ import annotations

import re

import pytest

from fmviz.notebook.script import loader_script, packed_script, widget_script

LOADER, PLAYER = loader_script(), widget_script()
NAMESPACES = {"http://www.w3.org/1998/Math/MathML", "http://www.w3.org/2000/svg"}
"""Names of kinds of elements; no browser asks for them."""
PROTOCOL = {"get", "set", "save_changes", "on", "off", "send"}
SMALL = 1000
"""Bytes of what anywidget makes a module of for every picture."""


def words(pattern: str, script: str) -> set[str]:
    return set(re.findall(pattern, script))


def test_the_module_of_a_picture_is_small_and_brings_what_anywidget_calls():
    assert len(LOADER.encode()) < SMALL
    assert "export default { initialize, render };" in LOADER
    assert words(r"\bexport\b[^;]*", PLAYER) == {"export default { render: renderWidget }"}


def test_it_imports_nothing_but_the_script_that_comes_with_the_picture():
    assert words(r"\bimport\b\s*\(?(?:/\*.*?\*/\s*)*\w*", PLAYER) == set()
    (only,) = re.findall(r"\bimport\b.*", LOADER)
    assert only == "import(/* webpackIgnore: true */ /* @vite-ignore */ url);"
    assert "const url = URL.createObjectURL(" in LOADER


@pytest.mark.parametrize("script", [LOADER, PLAYER])
def test_it_asks_no_network_and_no_front_end_of_its_own(script: str):
    assert words(r"https?://[^\"'\s]*", script) <= NAMESPACES
    assert not words(
        r"\b(?:fetch|XMLHttpRequest|WebSocket|EventSource|sendBeacon|importScripts|require|eval)\b", script
    )
    assert not words(r"url\(|@import|@font-face", script)
    assert not words(r"(?i)jupyter|ipython|colab|vscode", script)


def test_it_calls_of_the_model_what_the_protocol_has():
    widget = PLAYER[PLAYER.index("function renderWidget") :]
    assert words(r"\bmodel\.(\w+)", LOADER + widget) <= PROTOCOL


def test_its_style_stays_within_the_picture():
    """The one sheet is put into the shadow root."""
    assert not words(r"document\.(?:head|styleSheets|adoptedStyleSheets)", PLAYER)
    assert PLAYER.count('createElement("style")') == 1
    assert "shadow.append(css);" in PLAYER


def test_packed_it_is_the_same_in_every_process():
    assert packed_script() == packed_script.__wrapped__()
