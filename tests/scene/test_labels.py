"""Labels of the components of p_data: in the scene, in links, in programs."""

import pytest
import torch

from fmviz.scene import Component, Scene, link, scenes
from fmviz.scene.code import mixture_code
from fmviz.scene.known import scene_from_path
from fmviz.stage import events
from fmviz.theory import GaussianMixture, presets

PAIR = (Component(x=-2, y=0, label=3), Component(x=2, y=0, label=3), Component(x=0, y=2, label=1))


def read(query: dict[str, str]) -> tuple[Scene, tuple[str, ...]]:
    parts, problems = link.read(query, {"scene": Scene})
    scene = parts["scene"]
    assert isinstance(scene, Scene)
    return scene, problems


def test_links_carry_labels() -> None:
    scene = Scene().with_mixture("data", PAIR)
    query = link.write([scene])
    assert query["mix"] == "1_-2_0_0.09_0_0.09_3~1_2_0_0.09_0_0.09_3~1_0_2_0.09_0_0.09_1"
    assert read(query) == (scene, ())
    assert scenes.mixture(scene, "data").labels.tolist() == [3, 3, 1]


def test_components_without_labels_have_those_of_the_preset_while_they_are_as_many() -> None:
    moons = Scene(data="moons")
    old = tuple(c.model_copy(update={"label": None}) for c in scenes.components(moons, "data"))
    scene, problems = read(link.write([moons.with_mixture("data", old)]))
    assert not problems
    assert torch.equal(scenes.mixture(scene, "data").labels, presets.get("moons").labels)
    fewer = scenes.mixture(moons.with_mixture("data", old[1:]), "data")
    assert fewer.labels.tolist() == list(range(27))
    assert scenes.components(scene, "data") == scenes.components(moons, "data")


@pytest.mark.parametrize("label", ["64", "-1", "1.5", "nan", "x"])
def test_a_label_that_cannot_be_is_reported(label: str) -> None:
    scene, problems = read({"mix": f"1_0_0_1_0_1_{label}"})
    assert problems == ("mix",)
    assert scene.data_components is None


def test_the_program_has_the_labels() -> None:
    scene = Scene().with_mixture("data", PAIR)
    built = eval(mixture_code(scene, "data"), {"GaussianMixture": GaussianMixture, "torch": torch})
    assert built.labels.tolist() == [3, 3, 1]
    alone = scene.with_mixture("init", (Component(x=0, y=0),))
    assert mixture_code(alone, "init").count("torch.tensor") == 3


def test_a_path_gives_its_labels_to_the_scene() -> None:
    scene = Scene().with_mixture("data", PAIR)
    found = scene_from_path(scenes.path(scene), Scene())
    assert found is not None
    assert scenes.mixture(found, "data").labels.tolist() == [3, 3, 1]


def test_the_stage_reports_labels() -> None:
    rows = [[*c.row(), c.label] for c in PAIR]
    found = events.read({"edited": {"mixture": "data", "components": rows, "phase": "done", "seq": 1}})
    assert found.edited is not None
    assert tuple(Component.from_row(row) for row in found.edited.components) == PAIR
