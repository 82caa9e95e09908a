"""The scripts of the page Noise run as they stand, in a fresh process, and end where the stage ends."""

import json
import re

import pytest

from fmviz.clips.paths import Starts
from fmviz.lessons.noise.compute import runs
from fmviz.lessons.noise.script import noise_script
from fmviz.lessons.noise.settings import PROCESSES
from fmviz.lessons.noise.settings import Settings as NoiseSettings
from fmviz.scene import Scene
from fmviz.theory import presets
from fmviz.theory.processes import Langevin, OrnsteinUhlenbeck

SCENE = Scene(count=50, data="two_modes", seed_noise=3, seed_start=4)


@pytest.mark.parametrize("process", PROCESSES)
def test_the_script_runs_and_agrees(process, fresh):
    view = NoiseSettings(process=process, langevin_start="mode", langevin_steps=60, grid=16, sigma=0.5)
    said = fresh.printed(noise_script(SCENE, view))
    starts = Starts(50, 4, 3)
    if process == "brownian":
        expected = runs.brownian_paths(starts)[-1].var()
        (shown,) = re.findall(r"t = 1\.000  variance ([\d.]+)", said)
        assert float(shown) == pytest.approx(float(expected), abs=1e-4)
    elif process == "langevin":
        dynamics = Langevin(presets.get("two_modes"), 1.0)
        x0 = runs.langevin_starts("mode", dynamics.p, starts)
        run = runs.langevin_run(dynamics, x0, 5.0, 60, starts.noise())
        shown = json.loads(re.findall(r"end mean (.*)", said)[0])
        assert shown == pytest.approx(run.positions[-1].mean(0).tolist(), abs=1e-5)
    else:
        _, driven = runs.ou_run(OrnsteinUhlenbeck(1.0, 0.5), (2.0, 1.0), 4.0, starts)
        shown = re.findall(r"mean     tensor\(\[(.*?)\]", said)[0]
        assert [float(v) for v in shown.split(",")] == pytest.approx(driven.paths[-1].mean(0).tolist(), abs=1e-4)
        assert "GeometricBrownianMotion strong" in said
