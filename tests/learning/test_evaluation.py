"""What is measured of a network on fixed draws: its losses, its errors by t, and what is not reported."""

from __future__ import annotations

import pickle

import pytest
import torch

from fmviz.errors import ParameterError
from fmviz.learning import (
    Trainer,
    evaluation,
    train,
)
from fmviz.learning.evaluation import Evaluation
from fmviz.learning.spec import OBJECTIVES
from fmviz.learning.training import initial_model
from fmviz.theory import ProbabilityPath, schedulers
from tests.learning.test_training import SMALL, small


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_the_two_losses_differ_by_the_irreducible_one(objective: str, course: ProbabilityPath) -> None:
    """T27 and T29, at every moment of a run, within Monte Carlo error."""
    truth = Evaluation(course, points=8000)
    for snapshot in train(course, small(objective=objective), every=50):
        report = truth.report(snapshot.model)
        assert abs(report.gap + report.irreducible.total) < 4.0 * report.gap_error
        assert report.gap == pytest.approx(report.marginal_loss.total - report.conditional_loss.total)
        assert report.own.total < 1.5


def test_irreducible_loss_is_that_of_the_theory(course: ProbabilityPath, ring8: ProbabilityPath) -> None:
    for path in (course, ring8):
        truth = Evaluation(path, points=16_384)
        model = Trainer(path, SMALL).snapshot().model
        g = torch.Generator().manual_seed(5)
        expected = float(path.irreducible_loss(t_range=truth.t_range, n=40_000, generator=g))
        assert truth.report(model).irreducible.total == pytest.approx(expected, rel=0.03)


@pytest.mark.parametrize("points", [1024, 4096])
def test_the_losses_on_few_points_stand_to_each_other_as_on_many(points: int, ring8: ProbabilityPath) -> None:
    """What the chart of the page draws: 1024 independent draws would leave 0.18, a thirtieth of the loss."""
    model = Trainer(ring8, SMALL).snapshot().model
    few, many = (Evaluation(ring8, points=n).report(model) for n in (points, 65_536))
    for report in (few, many):
        assert -report.gap == pytest.approx(report.irreducible.total, rel=0.01)
    assert few.irreducible.total == pytest.approx(many.irreducible.total, rel=0.01)
    assert few.conditional_loss.total == pytest.approx(many.conditional_loss.total, rel=0.01)


def test_many_pairs_share_their_times(ring8: ProbabilityPath, monkeypatch: pytest.MonkeyPatch) -> None:
    model = Trainer(ring8, SMALL).snapshot().model
    alone = Evaluation(ring8, points=1024).report(model)
    monkeypatch.setattr(evaluation, "MOST_TABLES", 64 * 8)
    monkeypatch.setattr(evaluation, "TABLES_AT_ONCE", 5 * 8)
    tables: list[int] = []
    posterior_mean = ProbabilityPath.posterior_mean

    def counted(path: ProbabilityPath, x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        tables.append(len(t))
        return posterior_mean(path, x, t)

    with monkeypatch.context() as during:
        during.setattr(ProbabilityPath, "posterior_mean", counted)
        shared = Evaluation(ring8, points=1024)
    assert tables == [5] * 12 + [4], "of 64 times, five at once"
    assert len(shared.times.unique()) == 64
    exact = ring8.to(torch.float64)
    assert torch.allclose(shared.velocity, exact.marginal_velocity(shared.points, shared.times), rtol=1e-12, atol=1e-12)
    report = shared.report(model)
    assert report.irreducible.total == pytest.approx(alone.irreducible.total, rel=0.02)
    assert report.conditional_loss.total == pytest.approx(alone.conditional_loss.total, rel=0.02)


def test_report_agrees_with_the_model_itself(ring8: ProbabilityPath) -> None:
    trainer = Trainer(ring8, small(objective="noise"))
    trainer.advance(100)
    model = trainer.snapshot().model
    truth = Evaluation(ring8, points=2000, bins=8)
    report = truth.report(model)
    x, t = truth.points, truth.times
    exact = ring8.to(torch.float64)
    velocity, score = exact.velocity_and_score(x, t)
    weight = (1.0 - t).unsqueeze(-1)
    pairs = {
        "velocity": (model.velocity(x, t), velocity),
        "score": (weight * model.score(x, t), weight * score),
        "noise": (model.noise(x, t), -weight * score),
        "data": (model.posterior_mean(x, t), exact.posterior_mean(x, t)),
    }
    for name, (found, expected) in pairs.items():
        relative = float((found - expected).square().sum() / expected.square().sum())
        assert getattr(report, name).total == pytest.approx(relative, rel=1e-3)
    assert report.noise is not None
    assert report.velocity is not None
    # The lesson: a good noise network is a bad velocity near t = 0, where it is divided by alpha.
    assert report.velocity.by_t[0] > 10.0 * report.noise.by_t[0]
    assert len(report.t) == len(report.noise.by_t) == 8


@pytest.mark.parametrize("objective", ["cfm", "noise", "data"])
def test_errors_on_a_bridge_are_against_the_exact_noise_and_data(objective: str, bridge: ProbabilityPath) -> None:
    """From no Gaussian source E[eps | x] = (x - alpha E[z | x]) / beta still holds, here at points clear of both ends."""
    model = initial_model(bridge, small(objective=objective))
    truth = Evaluation(bridge, points=512, bins=4)
    report = truth.report(model)
    x, t, exact = truth.points, truth.times, bridge.to(torch.float64)
    data = exact.posterior_mean(x, t)
    noise = (x - t[:, None] * data) / (1.0 - t)[:, None]
    middle = (t > 0.25) & (t < 0.75)
    for name, wanted in (("velocity", exact.marginal_velocity(x, t)), ("noise", noise), ("data", data)):
        found = model.predict(name, x, t)  # type: ignore[arg-type]
        for k, part in ((1, middle & (t < 0.5)), (2, middle & (t >= 0.5))):
            relative = (found - wanted)[part].square().sum() / wanted[part].square().sum()
            assert getattr(report, name).by_t[k] == pytest.approx(float(relative), rel=1e-3), name


def test_what_is_reported_by_t_has_the_mean_of_all(ring8: ProbabilityPath) -> None:
    """The points are spread evenly, so that each part of time holds as many of them."""
    report = Evaluation(ring8, points=2048, bins=8).report(Trainer(ring8, SMALL).snapshot().model)
    for curve in (report.marginal_loss, report.conditional_loss, report.irreducible):
        assert sum(curve.by_t) / 8 == pytest.approx(curve.total, rel=0.01)


def test_no_score_is_reported_for_a_bridge(bridge: ProbabilityPath) -> None:
    report = Evaluation(bridge, points=500).report(Trainer(bridge, SMALL).snapshot().model)
    assert report.score is None
    assert report.noise is not None
    assert report.data is not None


@pytest.mark.parametrize(("points", "bins"), [(65_537, 16), (15, 16), (16, 0)])
def test_an_evaluation_beyond_its_bounds_is_refused(points: int, bins: int, ring8: ProbabilityPath) -> None:
    with pytest.raises(ParameterError, match="points, bins"):
        Evaluation(ring8, points=points, bins=bins)


def test_the_times_of_an_evaluation_keep_away_from_the_singular_ends(ring8: ProbabilityPath) -> None:
    """Both derivatives of (sqrt t, sqrt(1 - t)) are infinite at an end; the times are spread evenly over what is left."""
    path = ProbabilityPath(ring8.p_init, ring8.p_data, schedulers.custom("sqrt(t)", "sqrt(1-t)"))
    truth = Evaluation(path, points=4096, bins=4)
    low, high = truth.t_range
    assert (low, high) == (1e-4, 1.0 - 1e-4)
    times = truth.times.sort().values
    middles = low + (high - low) * (torch.arange(4096, dtype=torch.float64) + 0.5) / 4096
    assert float((times - middles).abs().max()) < (high - low) / 4096
    assert low < float(times[0]) < float(times[-1]) < high
    assert truth.t == pytest.approx([low + (high - low) * (k + 0.5) / 4 for k in range(4)], rel=1e-12)


def test_what_was_measured_before_changes_no_report(ring8: ProbabilityPath) -> None:
    used = Evaluation(ring8, points=256)
    fresh = pickle.dumps(used)
    for objective in ("cfm", "noise", "data", "score"):
        model = initial_model(ring8, small(objective=objective))
        first = Evaluation(ring8, points=256).report(model)
        assert vars(used.report(model)) == vars(used.report(model)) == vars(first)
    assert len(pickle.dumps(used)) == len(fresh)
    assert vars(pickle.loads(pickle.dumps(used)).report(model)) == vars(first)
