"""The figure that the sidebar offers: the path of the scene, in vectors."""

import xml.etree.ElementTree as ET

import pytest

from fmviz.app.catalogue import translate
from fmviz.app.choices import State
from fmviz.app.still import figure_of_scene
from fmviz.scene import Scene, Shell

SVG = "{http://www.w3.org/2000/svg}"


def drawn(monkeypatch, scene: Scene, language: str = "en") -> ET.Element:
    shown = State(shell=Shell(language=language), scene=scene)
    monkeypatch.setattr("streamlit.session_state", {"fmviz_state": shown})
    return ET.fromstring(figure_of_scene()())


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_figure_has_five_panels_and_says_what_it_is(monkeypatch, language):
    root = drawn(monkeypatch, Scene(data="moons", count=50), language)
    assert [text.text for text in root.iter(f"{SVG}text") if "t =" in text.text] == [
        f"t = {t:g}" for t in (0, 0.25, 0.5, 0.75, 1)
    ]
    assert len(list(root.iter(f"{SVG}circle"))) == 5 * 50
    assert root.attrib["aria-label"] == translate(language, "app.figure_description")


def test_another_scene_is_another_figure(monkeypatch):
    first, second = (drawn(monkeypatch, Scene(data=data, count=20)) for data in ("moons", "ring8"))
    assert ET.tostring(first) != ET.tostring(second)


def test_where_the_velocity_is_infinite_the_density_is_left(monkeypatch):
    root = drawn(monkeypatch, Scene(data="two_modes", init="two_modes", scheduler="sqrt", count=20))
    assert len(list(root.iter(f"{SVG}clipPath"))) == 5
    assert not list(root.iter(f"{SVG}circle"))
