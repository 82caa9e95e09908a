"""The script of a scene runs as it stands, in a fresh process, and says what the library says."""

import json

import pytest
import torch

from fmviz.clips.paths import Starts
from fmviz.lessons.paths.script import paths_script
from fmviz.lessons.paths.settings import Settings as PathsSettings
from fmviz.lessons.sample.compute import clips
from fmviz.lessons.sample.compute.clips import Sampler
from fmviz.lessons.sample.script import sample_script
from fmviz.lessons.sample.settings import Settings as SampleSettings
from fmviz.scene import Component, Scene, scenes

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
def test_script_runs_and_agrees(name, fresh):
    scene = SCENES[name]
    view = PathsSettings(click=(0.4, -0.3, 0.6))
    said = fresh.printed(paths_script(scene, view))
    x = torch.tensor([0.4, -0.3])
    expected = scenes.path(scene).log_density(x, 0.6)
    assert "log p_t(x)      " + str(expected) in said
    assert "ODE ends with mean" in said


@pytest.mark.parametrize("name", SCENES)
def test_the_sampler_as_a_script_draws_the_same_samples(name, fresh):
    scene = SCENES[name]
    view = SampleSettings(method="rk4", steps=5, sde_steps=40, grid="refined", click=(0.4, -0.3, 0.6))
    lines = fresh.printed(sample_script(scene, view, learned=True)).splitlines()
    path, sigma = scenes.path(scene), scenes.sigma(scene)
    starts = Starts(scene.count, scene.seed_start, scene.seed_noise)
    dynamics, how = clips.exact_dynamics(path, sigma), Sampler("rk4", 5, 40, "refined")
    runs = clips.run(dynamics, how, sigma, starts.points(path.p_init), starts.noise())
    assert runs.sde is not None
    said = dict(line.split(" mean ") for line in lines if " mean " in line)
    for label, samples in (("ODE", runs.ode[-1]), ("SDE", runs.sde[-1])):
        assert json.loads(said[label]) == pytest.approx(samples.mean(0).tolist(), abs=1e-4)
    along = clips.likelihood(dynamics, path, how, (0.4, -0.3, 0.6))
    (value,) = [line.split()[5] for line in lines if line.startswith("log p_t(x) along")]
    assert float(value) == pytest.approx(float(along.value), abs=1e-5)
