"""The training loop: the same to the bit, honest when it fails, and right about its losses."""

from __future__ import annotations

import dataclasses
import gc
import inspect
import itertools
import math
import weakref

import pytest
import torch

from fmviz.errors import FmvizError, ParameterError
from fmviz.learning import (
    Control,
    LearnedModel,
    Trainer,
    TrainingDivergedError,
    TrainSpec,
    train,
)
from fmviz.learning.devices import pick_device
from fmviz.learning.evaluation import Evaluation, Report
from fmviz.learning.pace import log_spaced_steps
from fmviz.learning.spec import OBJECTIVES, OPTIMIZERS, T_SAMPLINGS
from fmviz.learning.training import initial_model
from fmviz.lessons.sample.compute import samples
from fmviz.theory import ProbabilityPath, sigmas
from fmviz.theory.solvers import solve_ode, solve_sde

SMALL = TrainSpec(hidden=(32, 32), batch_size=200, steps=200, device="cpu")


def small(**changes: object) -> TrainSpec:
    return dataclasses.replace(SMALL, **changes)  # type: ignore[arg-type]


def all_losses(path: ProbabilityPath, spec: TrainSpec, every: int) -> torch.Tensor:
    return torch.cat([snapshot.losses for snapshot in train(path, spec, every=every)])


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_same_seed_same_curve_to_the_bit_however_it_is_cut(objective: str, course: ProbabilityPath) -> None:
    spec = small(objective=objective, steps=180)
    first = all_losses(course, spec, 50)
    assert first.shape == (180,)
    assert torch.equal(first, all_losses(course, spec, 7))
    assert not torch.equal(first, all_losses(course, dataclasses.replace(spec, seed=1), 50))


def test_snapshots_are_immutable_and_keep_their_steps(course: ProbabilityPath) -> None:
    snapshots = list(train(course, small(steps=110), every=50))
    assert [s.step for s in snapshots] == [50, 100, 110]
    assert [len(s.losses) for s in snapshots] == [50, 50, 10]
    weights = snapshots[0].model.network.weights
    kept = weights.clone()
    run = train(course, small(steps=110), every=50)
    first = next(run)
    before = first.model.network.weights.clone()
    next(run)
    assert torch.equal(first.model.network.weights, before)
    assert torch.equal(before, kept)
    assert first.loss == pytest.approx(float(first.losses.mean()), rel=1e-6)
    with pytest.raises(dataclasses.FrozenInstanceError):
        first.loss = 0.0  # type: ignore[misc]


@pytest.mark.parametrize(
    "changes",
    [
        *({"optimizer": name, "learning_rate": 1e-3} for name in OPTIMIZERS),
        *({"t_sampling": name} for name in T_SAMPLINGS),
        {"ema": 0.95},
        {"gradient_clip": 1.0},
        {"schedule": "constant", "warm_up": 0.0},
        {"scaling": "none", "time_features": "raw"},
        {"objective": "score", "score_weighting": "plain", "learning_rate": 1e-3},
        {"activation": "gelu"},
        {"activation": "tanh"},
        {"activation": "relu"},
    ],
    ids=str,
)
def test_every_option_learns(changes: dict[str, object], ring8: ProbabilityPath) -> None:
    losses = all_losses(ring8, small(**{"steps": 300, **changes}), 100)
    assert bool(losses.isfinite().all())
    assert float(losses[-50:].median()) < float(losses[:5].median())


def test_the_raw_network_of_a_run_with_an_average_is_that_of_a_run_without_one(ring8: ProbabilityPath) -> None:
    spec = small(steps=40, learning_rate=1e-2)
    plain = list(train(ring8, spec, every=20))
    both = list(train(ring8, dataclasses.replace(spec, ema=0.9), every=20))
    assert [snapshot.raw for snapshot in plain] == [None, None], "one network, held once"
    for one, other in zip(plain, both, strict=True):
        assert other.raw is not None
        assert torch.equal(other.raw.network.weights, one.model.network.weights)
        assert not torch.equal(other.raw.network.weights, other.model.network.weights)
        assert torch.equal(one.losses, other.losses)


def test_a_young_weight_average_forgets_its_first_weights(ring8: ProbabilityPath) -> None:
    """With decay k / (k + 10) at step k the average has a closed form: step j counts 10 (j + 1) ... (j + 9) / (k + 1) ... (k + 10)."""
    last = 12
    spec = small(steps=last, learning_rate=1e-2)
    raw = [snapshot.model.network.weights.double() for snapshot in train(ring8, spec, every=1)]
    *_, averaged = train(ring8, dataclasses.replace(spec, ema=0.9999), every=1)
    first = next(
        train(ring8, dataclasses.replace(spec, ema=0.9999, learning_rate=1e-30), every=1)
    ).model.network.weights
    scale = math.prod(range(last + 1, last + 11))
    shares = [10.0 * math.prod(range(j + 1, j + 10)) / scale for j in range(1, last + 1)]
    start = math.factorial(10) / scale
    assert sum(shares) + start == pytest.approx(1.0, rel=1e-12)
    steps = raw[-last:]
    expected = start * first.double() + sum(share * weights for share, weights in zip(shares, steps, strict=True))
    assert torch.allclose(averaged.model.network.weights.double(), expected, rtol=0.0, atol=1e-6)
    assert float((raw[-1] - expected).abs().max()) > 2e-4, "the average lags behind"


def test_learning_rate_follows_its_schedule_and_the_caller(ring8: ProbabilityPath) -> None:
    spec = small(steps=100, learning_rate=1e-2, warm_up=0.1)
    rates = [snapshot.learning_rate for snapshot in train(ring8, spec, every=1)]
    assert rates[0] == pytest.approx(1e-2 / 11)
    assert max(rates) == pytest.approx(1e-2)
    assert all(a <= b for a, b in itertools.pairwise(rates[:11]))
    assert all(a >= b for a, b in itertools.pairwise(rates[11:]))
    assert rates[-1] < 1e-5
    control = Control(1e-2)
    run = train(ring8, dataclasses.replace(spec, schedule="constant"), every=10, control=control)
    assert next(itertools.islice(run, 2, None)).learning_rate == pytest.approx(1e-2)
    control.learning_rate = 5e-4
    assert next(run).learning_rate == pytest.approx(5e-4)
    control.learning_rate = -1.0
    with pytest.raises(ParameterError, match="learning_rate"):
        next(run)


def test_changing_the_rate_changes_only_what_follows(ring8: ProbabilityPath) -> None:
    one, other = Trainer(ring8, SMALL), Trainer(ring8, SMALL)
    one.advance(60)
    other.advance(60)
    other.set_learning_rate(0.1)
    assert torch.equal(one.snapshot().losses, other.snapshot().losses)
    one.advance(10)
    other.advance(10)
    a, b = one.snapshot().losses, other.snapshot().losses
    assert float(a[0]) == float(b[0])
    assert not torch.equal(a, b)


@pytest.mark.parametrize("activation", ["silu", "tanh", "relu"])
@pytest.mark.parametrize("optimizer", ["adam", "adamw", "sgd"])
@pytest.mark.parametrize("objective", ["cfm", "noise"])
def test_absurd_learning_rate_ends_with_an_explanation(
    objective: str, optimizer: str, activation: str, ring8: ProbabilityPath
) -> None:
    spec = small(objective=objective, optimizer=optimizer, activation=activation, learning_rate=100.0, steps=400)
    ended = []
    for every in (1, 20, 130):
        with pytest.raises(TrainingDivergedError, match="learning rate") as caught:
            list(train(ring8, spec, every=every))
        assert isinstance(caught.value, FmvizError)
        good = caught.value.last_good
        assert good.step < caught.value.step
        assert bool(good.model.network.weights.isfinite().all())
        ended.append(caught.value.step)
    assert ended[0] == ended[1] == ended[2], "whatever the snapshots"


@pytest.mark.parametrize("objective", ["cfm", "score"])
def test_a_learning_rate_that_is_merely_too_high_goes_on(objective: str, ring8: ProbabilityPath) -> None:
    *_, last = train(ring8, small(objective=objective, learning_rate=1.0, steps=300), every=20)
    assert last.step == 300


def test_an_untrained_network_is_what_a_run_starts_from(ring8: ProbabilityPath) -> None:
    assert torch.equal(
        initial_model(ring8, SMALL).network.weights, Trainer(ring8, SMALL).snapshot().model.network.weights
    )


def test_a_loss_that_is_no_number_keeps_the_last_good_snapshot(ring8: ProbabilityPath) -> None:
    trainer = Trainer(ring8, SMALL)
    trainer.advance(10)
    good = trainer.snapshot()
    trainer._weights.fill_(math.nan)
    trainer.advance(3)
    with pytest.raises(TrainingDivergedError, match="step 11: the loss is not a finite number") as caught:
        trainer.snapshot()
    assert caught.value.last_good is good


def test_a_trainer_is_freed_without_the_collector(ring8: ProbabilityPath) -> None:
    """A cycle would keep its buffers until gc runs, and a server's memory would creep up."""
    trainer = Trainer(ring8, SMALL)
    trainer.advance(3)
    trainer.snapshot()
    gone = weakref.ref(trainer)
    gc.disable()
    try:
        del trainer
        assert gone() is None
    finally:
        gc.enable()


def test_log_spaced_steps_rise_from_first_to_last() -> None:
    steps = log_spaced_steps(5000, 40)
    assert steps[0] == 0
    assert steps[-1] == 5000
    assert len(steps) <= 40
    assert all(a < b for a, b in itertools.pairwise(steps))
    assert log_spaced_steps(1, 2) == (0, 1)
    assert log_spaced_steps(99, 3) == (0, 9, 99), "1 + step = 1, 10, 100"
    for wrong in ((0, 5), (5, 1)):
        with pytest.raises(ParameterError):
            log_spaced_steps(*wrong)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("objective", "gan"),
        ("hidden", (64,) * 9),
        ("hidden", (513,)),
        ("hidden", (0,)),
        ("batch_size", 0),
        ("batch_size", 20_000),
        ("learning_rate", 0.0),
        ("learning_rate", math.nan),
        ("steps", 10**6),
        ("steps", 2.5),
        ("seed", -1),
        ("activation", "sine"),
        ("schedule", "step"),
        ("warm_up", 1.0),
        ("optimizer", "lion"),
        ("ema", 1.0),
        ("t_sampling", "beta"),
        ("gradient_clip", 0.0),
        ("device", "tpu"),
        ("steps", True),
    ],
)
def test_spec_refuses_by_name(name: str, value: object) -> None:
    with pytest.raises(ParameterError, match=f"^{name}: expected"):
        TrainSpec(**{name: value})  # type: ignore[arg-type]


def test_weights_decay_by_default_as_in_torch() -> None:
    assert TrainSpec().weight_decay == inspect.signature(torch.optim.AdamW).parameters["weight_decay"].default


def test_spec_survives_json() -> None:
    spec = TrainSpec(objective="score", hidden=(3, 5), gradient_clip=0.5, seed=7)
    assert TrainSpec.from_json(spec.to_json()) == spec
    assert hash(spec) == hash(TrainSpec.from_json(spec.to_json()))
    for text in ("", "[]", "null", '{"color": 1}', '{"hidden": 5}', '{"steps": "many"}', "[" * 100_000):
        with pytest.raises(ParameterError):
            TrainSpec.from_json(text)


def test_device_that_is_not_there(ring8: ProbabilityPath) -> None:
    if not torch.cuda.is_available():
        with pytest.raises(ParameterError, match="device"):
            next(train(ring8, TrainSpec(device="cuda")))
    with pytest.raises(ParameterError, match="every"):
        train(ring8, SMALL, every=0)


# ---------------------------------------------------------------------- slow


@pytest.fixture(scope="module", params=OBJECTIVES)
def learned_ring8(request: pytest.FixtureRequest, ring8: ProbabilityPath) -> tuple[LearnedModel, list[Report]]:
    """The network of 3000 steps with the default settings, and a report every 500 steps."""
    truth = Evaluation(ring8, points=8000)
    run = list(train(ring8, TrainSpec(objective=request.param, steps=3000, device="cpu"), every=500))
    return run[-1].model, [truth.report(snapshot.model) for snapshot in run]


@pytest.mark.slow
def test_ring_of_eight_in_3000_steps(learned_ring8: tuple[LearnedModel, list[Report]]) -> None:
    """Issue 3, criterion 3: under 2 % in the network's own quantity, with the default settings."""
    _, reports = learned_ring8
    assert len(reports) == 6
    assert all(abs(report.gap + report.irreducible.total) < 4.0 * report.gap_error for report in reports)
    assert reports[-1].own.total < 0.02


@pytest.mark.slow
def test_a_converted_network_is_lost_at_one_end_of_time(learned_ring8: tuple[LearnedModel, list[Report]]) -> None:
    """T23 divides by alpha or beta: the error there is over 100 % of the velocity, measured 17 to 900 times it."""
    model, reports = learned_ring8
    velocity = reports[-1].velocity
    assert velocity is not None
    lost = {"velocity": (), "noise": (0,), "score": (0,), "data": (-1,)}[model.predicts]
    for end in (0, -1):
        if end in lost:
            assert velocity.by_t[end] > 1.0
        else:
            assert velocity.by_t[end] < 0.02


@pytest.mark.slow
def test_samples_of_a_trained_network_are_those_of_the_data(
    learned_ring8: tuple[LearnedModel, list[Report]], ring8: ProbabilityPath
) -> None:
    """Through the forms that stay finite (`LearnedModel.sampling_velocity`), which is what makes such networks usable.

    Energy distance over that of exact samples, measured with three seeds of the training and three of the sampling: ODE
    0.4 to 1.2; SDE 0.4 to 0.9, but 1.9 to 2.5 for a data network, whose score is worst where the SDE ends.
    """
    model, _ = learned_ring8
    sigma = sigmas.get("constant", 1.0)
    x0 = ring8.p_init.sample(2000, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        ode = solve_ode(model.sampling_velocity, x0, 100, "heun")[0][-1]
        noise = torch.Generator().manual_seed(2)
        sde = solve_sde(model.drift(sigma), sigma, x0, 200, generator=noise)[0][-1]
    floor = samples.floor(ring8.p_data, len(x0)).energy
    assert samples.distances(ring8.p_data, ode).energy < 2.0 * floor
    assert samples.distances(ring8.p_data, sde).energy < (4.0 if model.predicts == "data" else 2.0) * floor
    assert samples.distances(ring8.p_data, x0).energy > 50.0 * floor


@pytest.mark.slow
def test_course_setting_reaches_half_a_percent_in_400_steps(course: ProbabilityPath) -> None:
    *_, last = train(course, TrainSpec(steps=400, device="cpu"), every=100)
    report = Evaluation(course, points=8000).report(last.model)
    assert report.velocity is not None
    assert report.velocity.total < 0.005


def test_a_run_is_given_up_after_fifteen_absurd_losses_on_end(ring8: ProbabilityPath) -> None:
    """More than a hundred times what predicting zero costs; fourteen, or more with a better one between, are borne."""

    def after(*factors: float) -> Trainer:
        trainer = Trainer(ring8, SMALL)
        trainer.advance(20)
        trainer.snapshot()
        trainer._losses = [torch.tensor(factors) * trainer._watch.reference]
        trainer.snapshot()
        return trainer

    for borne in ([100.5] * 14, [100.5] * 14 + [99.5] + [100.5] * 14, [99.5] * 20):
        assert after(*borne).step == 20
    with pytest.raises(TrainingDivergedError) as caught:
        after(*[100.5] * 15)
    assert caught.value.step == 20
    trainer = after(*[100.5] * 14)
    trainer._losses = [torch.tensor([100.5]) * trainer._watch.reference]
    with pytest.raises(TrainingDivergedError):
        trainer.snapshot()


@pytest.mark.parametrize("name", ["tpu", "meta", "", "cuda:0"])
def test_a_device_that_is_not_offered_is_refused(name: str) -> None:
    with pytest.raises(ParameterError, match="device"):
        pick_device(name)
    assert pick_device("cpu").type == "cpu"
