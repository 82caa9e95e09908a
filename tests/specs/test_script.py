"""The script of a scene runs as it stands, in a fresh process, and says what the library says."""

import subprocess
import sys

import pytest
import torch

from fmviz import scenes
from fmviz.specs import Component, PathsView, Scene
from fmviz.specs.script import paths_script

SCENES = {
    "default": Scene(),
    "custom": Scene(scheduler="custom", alpha="sin(pi*t/2)", beta="cos(pi*t/2)", sigma="bump", amplitude=0.5),
    "edited": Scene(
        data_components=(Component(x=1, y=2, weight=2), Component(x=-1, y=0.5, xx=0.3, xy=0.1, yy=0.2)),
        init="moons",
        scheduler="polynomial",
        exponent=3.0,
    ),
}


@pytest.mark.parametrize("name", SCENES)
def test_script_runs_and_agrees(name):
    scene = SCENES[name]
    view = PathsView(click=(0.4, -0.3, 0.6))
    done = subprocess.run(
        [sys.executable, "-c", paths_script(scene, view)], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    x = torch.tensor([0.4, -0.3])
    expected = scenes.path(scene).log_density(x, 0.6)
    assert "log p_t(x)      " + str(expected) in done.stdout
    assert "ODE ends with mean" in done.stdout
