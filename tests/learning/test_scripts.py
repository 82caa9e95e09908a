"""Scripts that train by themselves what was trained here."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest
import torch

from fmviz.errors import ParameterError
from fmviz.learning import Trainer, TrainSpec
from fmviz.learning.draws import steps_together
from fmviz.learning.export import training_script
from fmviz.theory import GaussianMixture, ProbabilityPath, presets, schedulers
from tests.fresh import FreshProcesses

GAUSSIAN = GaussianMixture.standard()
RUNS = [
    (ProbabilityPath(GAUSSIAN, presets.get("ring5"), schedulers.get("sqrt")), TrainSpec(device="cpu")),
    (
        ProbabilityPath(
            presets.get("moons"), presets.get("ring8"), schedulers.custom("sin(pi*t/2)", "sqrt(1 - t) + min(0, t)")
        ),
        TrainSpec(
            objective="noise",
            scaling="none",
            time_features="raw",
            schedule="constant",
            optimizer="sgd",
            t_sampling="uniform",
            batch_size=200,
            hidden=(32, 32),
            device="cpu",
        ),
    ),
    (
        ProbabilityPath(GAUSSIAN, presets.get("spiral"), schedulers.get("vp")),
        TrainSpec(
            objective="score",
            optimizer="adamw",
            gradient_clip=0.5,
            ema=0.9,
            t_sampling="logit_normal",
            activation="gelu",
            batch_size=333,
            hidden=(32, 16),
            device="cpu",
        ),
    ),
    (
        ProbabilityPath(presets.get("two_modes"), presets.get("ring8"), schedulers.get("trig")),
        TrainSpec(objective="fm", activation="relu", batch_size=200, hidden=(32, 32), device="cpu"),
    ),
    (
        ProbabilityPath(presets.get("circles"), presets.get("ring8"), schedulers.get("linear")),
        TrainSpec(objective="fm", batch_size=500, hidden=(16,), device="cpu"),
    ),
    (
        ProbabilityPath(GAUSSIAN, presets.get("ring8"), schedulers.get("polynomial", exponent=3.0)),
        TrainSpec(objective="data", activation="tanh", batch_size=200, hidden=(), device="cpu"),
    ),
]


def test_a_target_over_many_pairs_is_drawn_a_few_steps_at_a_time() -> None:
    drawn = {(path.p_init.n_components, spec.objective): steps_together(path, spec) for path, spec in RUNS}
    assert drawn[(2, "fm")] == (1 << 15) // 200
    assert drawn[(48, "fm")] == (1 << 21) // (48 * 8) // 500


@pytest.mark.parametrize("run", RUNS, ids=lambda run: run[1].objective)
def test_script_reproduces_fifty_steps_in_a_fresh_process(
    run: tuple[ProbabilityPath, TrainSpec], fresh: FreshProcesses, tmp_path: Path
) -> None:
    path, spec = run
    source = training_script(path, spec)
    imported = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Import | ast.ImportFrom)]
    assert {alias.name for node in imported for alias in node.names} == {"copy", "math", "sys", "torch"}
    said = fresh.printed(source, "50", folder=tmp_path)
    printed = torch.tensor([float(line.split()[1]) for line in said.splitlines()])
    trainer = Trainer(path, spec)
    trainer.advance(50)
    torch.testing.assert_close(printed, trainer.snapshot().losses, rtol=2e-3, atol=1e-6)
    assert (tmp_path / "weights.pt").exists()


@pytest.mark.parametrize("device", ["auto", "cpu", "cuda", "mps"])
def test_script_names_the_device_of_the_run(
    device: str, ring8: ProbabilityPath, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    source = training_script(ring8, TrainSpec(device=device))
    assert f'DEVICE = "{"mps" if device == "auto" else device}"  #' in source
    assert "is_available" not in source


def test_script_computes_the_exact_velocity_where_float64_is(bridge: ProbabilityPath) -> None:
    script: dict[str, Any] = {"__name__": "train"}
    exec(training_script(bridge, TrainSpec(objective="fm", device="mps")), script)
    x, t = torch.randn(50, 2, generator=torch.Generator().manual_seed(0)), torch.full((50, 1), 0.3)
    found = script["marginal_velocity"](x, t)  # nothing here is on mps, and nothing may be moved there
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, bridge.marginal_velocity(x, 0.3), rtol=1e-4, atol=1e-4)


def test_script_refuses_what_cannot_be_trained(bridge: ProbabilityPath) -> None:
    with pytest.raises(ParameterError, match="T18"):
        training_script(bridge, TrainSpec(objective="score"))
