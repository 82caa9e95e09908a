"""Runs on coupled pairs and with noise in between, against the fields that are known there."""

from __future__ import annotations

import dataclasses
import json
import math
import pickle
from typing import Any

import pytest
import torch
from torch import Tensor

from fmviz.errors import FmvizError, ParameterError
from fmviz.learning import Evaluation, LearnedModel, Trainer, TrainSpec, checkpoint, sweep, train, training_script
from fmviz.learning.checkpoint import CheckpointError
from fmviz.learning.draws import Batches
from fmviz.learning.objectives import architecture
from fmviz.learning.pairing import USES, Pairs, Simulated, source_of
from fmviz.learning.pool import TrainingPool, require_affordable
from fmviz.learning.spec import Reflow
from fmviz.learning.training import initial_model
from fmviz.theory import GaussianMixture, ProbabilityPath, presets, schedulers
from fmviz.theory.couplings import gaussian_map, transport_cost

QUICK = TrainSpec(hidden=(32, 32), batch_size=256, steps=600, ema=0.95, device="cpu")
SMALL = TrainSpec(hidden=(16,), batch_size=100, steps=900, device="cpu")


@pytest.fixture(scope="module")
def moons() -> ProbabilityPath:
    return ProbabilityPath(presets.get("ring8"), presets.get("moons"), schedulers.get("linear"))


@pytest.fixture(scope="module")
def gaussians() -> ProbabilityPath:
    """Two Gaussians whose optimal map turns and stretches."""
    covariances = torch.tensor([[[1.1, 0.55], [0.55, 0.5]], [[0.25, -0.3], [-0.3, 0.9]]])
    p_init, p_data = (
        GaussianMixture(torch.tensor([mean]), covariance[None], torch.ones(1))
        for mean, covariance in zip(([-1.6, -0.8], [1.6, 0.9]), covariances, strict=True)
    )
    return ProbabilityPath(p_init, p_data, schedulers.get("linear"))


def trained(path: ProbabilityPath, spec: TrainSpec, teacher: LearnedModel | None = None) -> LearnedModel:
    (snapshot,) = train(path, spec, every=spec.steps, teacher=teacher)
    return snapshot.model


def drawn(pairs: Pairs, shape: tuple[int, int], seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    """Points (S B, 2) and their components (S B)."""
    z, component, x0 = pairs(shape, torch.Generator().manual_seed(seed))
    assert z.shape == x0.shape == (shape[0], 2, shape[1])
    return z.mT.reshape(-1, 2), component.reshape(-1), x0.mT.reshape(-1, 2)


# --------------------------------------------------------------------- pairs


@pytest.mark.parametrize("coupling", ["exact", "sinkhorn"])
def test_the_pairs_of_a_chunk_are_mini_batches_each_pair_of_which_is_used_equally_often(
    moons: ProbabilityPath, coupling: Any
) -> None:
    spec = TrainSpec(coupling=coupling, coupling_batch=32)
    z, _, x0 = drawn(source_of(moons, spec, torch.device("cpu")), (16, 64))
    pairs, counts = torch.cat((x0, z), dim=1).unique(dim=0, return_counts=True)
    assert len(pairs) == 16 * 64 // USES == 2 * 32
    assert counts.unique().tolist() == [USES]
    # Marginals: those of as many independent draws of each law.
    for points, law in ((x0, moons.p_init), (z, moons.p_data)):
        error = (law.covariance.diagonal() / len(pairs)).sqrt()
        assert bool(((points.mean(0) - law.mean).abs() < 5 * error).all())


def test_the_cost_of_the_pairs_falls_with_the_batch_and_exact_pairs_cost_least(moons: ProbabilityPath) -> None:
    def cost(coupling: Any, batch: int) -> float:
        spec = TrainSpec(coupling=coupling, coupling_batch=batch)
        z, _, x0 = drawn(source_of(moons, spec, torch.device("cpu")), (64, 512))
        return float(transport_cost(x0, z))

    independent, few, many = cost("independent", 8), cost("exact", 8), cost("exact", 64)
    assert many < cost("sinkhorn", 64) < independent
    assert many < few < independent
    p, q = moons.p_init.to(torch.float64), moons.p_data.to(torch.float64)
    exactly = float((p.mean - q.mean).square().sum() + p.covariance.trace() + q.covariance.trace())
    assert independent == pytest.approx(exactly, rel=0.03)


def test_with_labels_the_source_does_not_depend_on_the_label() -> None:
    """Blind pairs tie the label to the place in the source (T53); those within each label must not."""
    path = ProbabilityPath(GaussianMixture.standard(), presets.get("two_modes"), schedulers.get("linear"))
    device = torch.device("cpu")

    def gap(spec: TrainSpec) -> float:
        _, component, x0 = drawn(source_of(path, spec, device), (64, 512))
        side = path.p_data.labels[component] == path.p_data.labels[0]
        return float((x0[side].mean(0) - x0[~side].mean(0)).norm())

    blind = TrainSpec(coupling="exact", coupling_batch=64)
    assert gap(blind) > 1.0
    assert gap(dataclasses.replace(blind, label_dropout=0.2)) < 0.2


def test_simulated_pairs_stay_together() -> None:
    x0 = torch.arange(10.0).reshape(5, 2)
    z, _, starts = drawn(Simulated(x0, -x0), (8, 30))
    assert torch.equal(z, -starts)
    assert {tuple(row) for row in starts.tolist()} == {tuple(row) for row in x0.tolist()}


# -------------------------------------------------------------------- fields


def test_optimal_pairs_teach_the_optimal_field(gaussians: ProbabilityPath) -> None:
    """Between two Gaussians the field of optimal transport is known (T54); independent pairs teach another one."""
    optimal = gaussian_map(gaussians.p_init, gaussians.p_data)
    x0 = gaussians.p_init.sample(2000, generator=torch.Generator().manual_seed(1))

    def error(spec: TrainSpec) -> float:
        model = trained(gaussians, spec)
        off, size = 0.0, 0.0
        for t in (0.1, 0.5, 0.9):
            x = torch.lerp(x0, optimal(x0), t)
            exact = optimal.velocity(x, t)
            off += float((model.velocity(x, t) - exact).square().sum())
            size += float((exact - exact.mean(0)).square().sum())
        return off / size

    coupled = error(dataclasses.replace(QUICK, coupling="exact", coupling_batch=128))
    assert coupled < 0.05
    assert error(QUICK) > 10 * coupled


def test_with_noise_in_between_targets_are_the_velocities_of_its_pairs(moons: ProbabilityPath) -> None:
    report = Evaluation(dataclasses.replace(moons, gamma=0.5)).report(
        initial_model(dataclasses.replace(moons, gamma=0.5), dataclasses.replace(QUICK, gamma=0.5))
    )
    assert abs(report.gap + report.irreducible.total) < 5.0 * report.gap_error
    assert report.gap_error < 0.1 * report.irreducible.total


@pytest.mark.parametrize("gamma", [0.3, 1.0])
def test_noise_in_between_is_that_of_a_brownian_bridge(gamma: float) -> None:
    """Between two points that are almost the same, nothing else is left: x = gamma sqrt(t (1 - t)) xi, and its slope in t."""
    point = GaussianMixture(torch.zeros(1, 2), 1e-16 * torch.eye(2)[None], torch.ones(1))
    path = ProbabilityPath(point, point, schedulers.get("linear"), gamma=gamma).to(torch.float32)
    spec = dataclasses.replace(SMALL, gamma=gamma, time_features="raw", scaling="none")
    chunk = Batches(path, spec, architecture(path, spec), torch.Generator().manual_seed(0)).draw()
    x, t = chunk.inputs[:, :2], chunk.inputs[:, 2:3]
    torch.testing.assert_close(chunk.target, x * (0.5 - t) / (t * (1.0 - t)), rtol=1e-3, atol=1e-4)
    squares = x.square() / (gamma**2 * t * (1.0 - t))
    assert float(squares.mean()) == pytest.approx(1.0, abs=5.0 * math.sqrt(2.0 / squares.numel()))


@pytest.mark.parametrize("gamma", [0.3, 1.0])
def test_noise_in_between_teaches_the_field_of_the_interpolant(moons: ProbabilityPath, gamma: float) -> None:
    path = dataclasses.replace(moons, gamma=gamma)
    evaluation = Evaluation(path, points=2048)
    untrained = evaluation.report(initial_model(path, dataclasses.replace(QUICK, gamma=gamma)))
    report = evaluation.report(trained(path, dataclasses.replace(QUICK, gamma=gamma)))
    assert report.velocity is not None
    assert report.velocity.total < 0.25 < 0.8 < untrained.own.total
    assert (report.score, report.noise, report.data) == (None, None, None)
    # T27 with noise in between, and the other way to the irreducible loss: draws of p_t instead of spread points.
    assert report.gap == pytest.approx(-report.irreducible.total, abs=4 * report.gap_error)
    drawn = path.irreducible_loss(t_range=evaluation.t_range, n=4000, generator=torch.Generator().manual_seed(0))
    assert report.irreducible.total == pytest.approx(float(drawn), rel=0.15)


def test_where_no_field_is_known_nothing_is_measured(moons: ProbabilityPath) -> None:
    coupled = dataclasses.replace(SMALL, coupling="exact")
    with pytest.raises(ParameterError, match=r"^coupling: "):
        next(iter(sweep(moons, coupled, {"seed": [0]})))
    with pytest.raises(ParameterError, match=r"^gamma: "):
        next(iter(sweep(moons, SMALL, {"gamma": [0.0, 0.5]})))
    with TrainingPool() as pool, pytest.raises(ParameterError, match=r"^evaluation: "):
        pool.submit(moons, coupled, evaluation=Evaluation(moons, points=100))
    x = torch.zeros(3, 2)
    for spec in (coupled, dataclasses.replace(SMALL, gamma=0.5)):
        model = initial_model(moons, spec)
        assert model.velocity(x, 0.5).shape == (3, 2)
        for other in (model.score, model.noise, model.posterior_mean):
            with pytest.raises(FmvizError, match="coupled pairs"):
                other(x, 0.5)
    noisy = dataclasses.replace(moons, gamma=0.5)
    with pytest.raises(ParameterError, match=r"^model: "):
        Evaluation(noisy, points=100).report(initial_model(moons, SMALL))
    changes: list[dict[str, Any]] = [{"coupling": "exact"}, {"coupling": "exact", "gamma": 0.5}, {"gamma": 0.5}]
    for change in changes:
        with pytest.raises(ParameterError, match=r"^model: "):
            Evaluation(moons, points=100).report(initial_model(moons, dataclasses.replace(SMALL, **change)))


# ------------------------------------------------------------------ settings


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"coupling": "optimal"}, "coupling"),
        ({"coupling_batch": 0}, "coupling_batch"),
        ({"coupling_batch": 4097}, "coupling_batch"),
        ({"gamma": -0.1}, "gamma"),
        ({"gamma": math.inf}, "gamma"),
        ({"gamma": True}, "gamma"),
        ({"reflow": 1}, "reflow"),
        ({"coupling": "exact", "objective": "noise"}, "objective"),
        ({"gamma": 0.5, "objective": "fm"}, "objective"),
        ({"coupling": "exact", "classify": 0}, "classify"),
        ({"coupling": "exact", "reflow": Reflow()}, "coupling"),
        ({"label_dropout": 0.1, "reflow": Reflow()}, "label_dropout"),
    ],
    ids=str,
)
def test_settings_that_do_not_go_together_are_refused(change: dict[str, Any], name: str) -> None:
    with pytest.raises(ParameterError, match=f"^{name}: "):
        TrainSpec(**change)


@pytest.mark.parametrize(
    "change", [{"round": 4}, {"round": 0}, {"pairs": 65_537}, {"steps": 0}, {"method": "rk9"}, {"reversed": 1}], ids=str
)
def test_a_round_of_reflow_has_bounds(change: dict[str, Any]) -> None:
    with pytest.raises(ParameterError, match=f"^reflow.{next(iter(change))}: "):
        Reflow(**change)


def test_a_path_brings_no_other_noise_than_the_settings(moons: ProbabilityPath) -> None:
    noisy = dataclasses.replace(moons, gamma=0.5)
    Trainer(noisy, dataclasses.replace(SMALL, gamma=0.5))
    for gamma in (0.0, 0.4):
        with pytest.raises(ParameterError, match=r"^gamma: "):
            Trainer(noisy, dataclasses.replace(SMALL, gamma=gamma))


def test_a_shared_machine_pairs_no_large_batches(moons: ProbabilityPath) -> None:
    require_affordable(moons, dataclasses.replace(SMALL, coupling="exact", coupling_batch=512))
    require_affordable(moons, dataclasses.replace(SMALL, coupling_batch=4096))  # nothing is paired
    with pytest.raises(ParameterError, match="512"):
        require_affordable(moons, dataclasses.replace(SMALL, coupling="exact", coupling_batch=513))


# ------------------------------------------------------ what leaves a process

CHANGES: list[dict[str, Any]] = [
    {"coupling": "exact", "coupling_batch": 16, "gamma": 0.3},
    {"coupling": "sinkhorn", "coupling_batch": 64},
    {"coupling": "exact", "coupling_batch": 24, "label_dropout": 0.2},
    {"gamma": 0.5},
]


@pytest.mark.parametrize("change", CHANGES, ids=str)
def test_a_saved_run_goes_on_as_if_it_had_never_stopped(moons: ProbabilityPath, change: dict[str, Any]) -> None:
    spec = dataclasses.replace(SMALL, **change)
    whole = Trainer(moons, spec)
    whole.advance(100)
    resumed = Trainer(moons, spec, pickle.loads(pickle.dumps(whole.save())))
    for trainer in (whole, resumed):
        trainer.advance(300)
    assert torch.equal(whole.snapshot().model.network.weights, resumed.snapshot().model.network.weights)


@pytest.mark.parametrize("change", [*CHANGES, {"reflow": Reflow(round=2, pairs=100, reversed=True)}], ids=str)
def test_a_checkpoint_says_how_its_pairs_were_made(moons: ProbabilityPath, change: dict[str, Any]) -> None:
    spec = dataclasses.replace(SMALL, **change)
    path = dataclasses.replace(moons, gamma=spec.gamma)
    found = checkpoint.from_bytes(checkpoint.to_bytes(initial_model(path, spec), spec, path, 0))
    assert (found.spec, found.path.gamma, found.model.own_only) == (spec, spec.gamma, True)
    assert TrainSpec.from_json(spec.to_json()) == spec


@pytest.mark.parametrize(
    "values",
    [{"reflow": {"round": 9}}, {"reflow": {"speed": 1}}, {"reflow": [1]}, {"reflow": "x"}, {"coupling": "map"}],
    ids=str,
)
def test_hostile_settings_are_refused(values: dict[str, Any]) -> None:
    with pytest.raises(ParameterError):
        TrainSpec.from_json(json.dumps(values))


def test_a_checkpoint_whose_path_contradicts_its_settings_is_refused(moons: ProbabilityPath) -> None:
    spec = dataclasses.replace(SMALL, gamma=0.5)
    noisy = dataclasses.replace(moons, gamma=0.25)
    with pytest.raises(CheckpointError):
        checkpoint.from_bytes(checkpoint.to_bytes(initial_model(moons, spec), spec, noisy, 0))


@pytest.mark.parametrize("change", CHANGES, ids=str)
def test_a_script_draws_the_same_numbers(
    moons: ProbabilityPath, change: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    spec = dataclasses.replace(SMALL, batch_size=3000, **change)  # two chunks of ten steps
    script: dict[str, Any] = {"__name__": "train"}
    exec(training_script(moons, spec), script)
    script["draws"] = torch.Generator().manual_seed(spec.seed)
    script["train"](12)
    printed = [float(line.split()[1]) for line in capsys.readouterr().out.splitlines()]
    trainer = Trainer(moons, spec)
    trainer.advance(12)
    assert printed == pytest.approx(trainer.snapshot().losses.tolist(), rel=1e-3)
