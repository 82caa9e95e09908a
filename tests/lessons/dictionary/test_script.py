"""The programs of the page Dictionary run as they stand, in both wordings, and end near the data."""

import contextlib
import io
import re

import pytest
import torch

from fmviz.lessons.dictionary.script import dictionary_script, library_script
from fmviz.lessons.dictionary.settings import BETAS, DIALECTS, Settings
from fmviz.scene import Scene, scenes
from fmviz.theory import GaussianMixture

SCENE = Scene(count=400, data="two_modes")
DATA: GaussianMixture = scenes.mixture(SCENE, "data")


def run(program: str) -> str:
    torch.manual_seed(0)
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(compile(program, "script", "exec"), {})  # a program of our own, from settings that were checked
    return said.getvalue()


@pytest.mark.parametrize("name", DIALECTS)
def test_the_program_on_this_project(name):
    said = run(dictionary_script(SCENE, Settings(a=name, b="edm" if name != "edm" else "vp", steps=64)))
    distances = [float(value) for value in re.findall(r"sliced W2 ([\d.]+)", said)]
    assert len(distances) == 2
    assert max(distances) < 0.5


@pytest.mark.parametrize("name", DIALECTS)
def test_the_program_on_the_library_of_the_convention(name):
    said = run(library_script(SCENE, Settings(a=name, steps=256)))
    found = torch.tensor([float(value) for value in re.findall(r"-?\d+\.\d+(?:e-?\d+)?", said)])
    assert float((found - DATA.mean).norm()) < 0.5


@pytest.mark.parametrize("rule", BETAS)
def test_the_betas_are_those_of_the_settings(rule):
    run(library_script(SCENE, Settings(a="ddpm", betas=rule, steps=16)))
    run(dictionary_script(SCENE, Settings(a="ddpm", betas=rule, steps=16)))
