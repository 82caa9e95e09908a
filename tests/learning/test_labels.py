"""Networks of labelled data: their inputs, draws, files, scripts, and guidance with them."""

import dataclasses
import itertools
from pathlib import Path

import pytest
import torch

from fmviz.errors import FmvizError, ParameterError
from fmviz.learning import LearnedModel, Trainer, TrainSpec, checkpoint, train
from fmviz.learning.backprop import Gradient
from fmviz.learning.checkpoint import CheckpointError
from fmviz.learning.draws import Batches
from fmviz.learning.evaluation import Evaluation
from fmviz.learning.export import training_script
from fmviz.learning.networks import ACTIVATIONS, MLP
from fmviz.learning.objectives import architecture, require_trainable
from fmviz.learning.training import initial_model
from fmviz.theory import GaussianMixture, ProbabilityPath, presets, schedulers
from fmviz.theory.guidance import Guidance, simulate_weighted
from fmviz.theory.metrics import sliced_wasserstein
from fmviz.theory.solvers import solve_ode
from tests.fresh import FreshProcesses

SMALL = TrainSpec(hidden=(12, 8), batch_size=64, steps=60, label_dropout=0.25, device="cpu")


@pytest.fixture(scope="module")
def moons() -> ProbabilityPath:
    return ProbabilityPath(GaussianMixture.standard(), presets.get("moons"), schedulers.get("linear"))


@pytest.fixture(scope="module")
def three() -> ProbabilityPath:
    """Labels that are neither consecutive nor sorted: 7, 2, 7, 4."""
    means = torch.tensor([[-2.0, 0.0], [2.0, 0.0], [-2.0, 2.0], [0.0, -2.0]])
    labels = torch.tensor([7, 2, 7, 4])
    p_data = GaussianMixture(means, 0.1 * torch.eye(2).expand(4, 2, 2), torch.ones(4), labels)
    return ProbabilityPath(GaussianMixture.standard(), p_data, schedulers.get("linear"))


@pytest.fixture(scope="module")
def trained(moons: ProbabilityPath) -> LearnedModel:
    """The default settings, with labels."""
    spec = TrainSpec(label_dropout=0.2, device="cpu")
    *_, last = train(moons, spec, every=spec.steps)
    return last.model


def test_a_network_given_a_label_is_the_one_with_that_input(three: ProbabilityPath) -> None:
    model = initial_model(three, SMALL)
    built, g = model.network.architecture, torch.Generator().manual_seed(1)
    assert built.labels == model.labels == (2, 4, 7)
    x, t = torch.randn(30, 2, generator=g), torch.rand(30, generator=g)
    for label, place in ((2, 0), (4, 1), (7, 2), (None, -1)):
        inputs = [*built.features(x[:, 0], x[:, 1], t), *built.label_features(torch.full((30,), place))]
        h = torch.stack(inputs, dim=-1)
        *hidden, last = built.layers(model.network.weights)
        for layer in hidden:
            h = ACTIVATIONS[built.activation](h @ layer[:, :-1].T + layer[:, -1])
        wanted = built.output_scale * (h @ last[:, :-1].T + last[:, -1])
        torch.testing.assert_close(model.velocity(x, t, label), wanted)
    torch.testing.assert_close(model.velocity(x, t), model.network(x, t))
    assert not torch.allclose(model.velocity(x, t, 2), model.velocity(x, t, 7))


def test_the_gradient_reaches_the_embeddings(three: ProbabilityPath) -> None:
    """The backward pass by hand against autograd on a batch with labels."""
    built = architecture(three, SMALL)
    weights = built.initial_weights(torch.Generator().manual_seed(2))
    batches = Batches(three, SMALL, built, torch.Generator().manual_seed(3))
    chunk = batches.draw()
    gradient, loss = Gradient(built, weights, SMALL.batch_size), torch.zeros(())
    gradient(chunk.inputs[0], chunk.factor_at(0), chunk.target[0], loss)
    free = weights.clone().requires_grad_()
    h = chunk.inputs[0]
    *hidden, last = built.layers(free)
    for layer in hidden:
        h = torch.cat((ACTIVATIONS[built.activation](layer @ h), torch.ones_like(h[:1])))
    wanted = (built.output_scale * (last @ h) - chunk.target[0]).square().sum(0).mean()
    torch.testing.assert_close(loss, wanted)
    torch.testing.assert_close(gradient.gradient, torch.autograd.grad(wanted, free)[0], rtol=1e-4, atol=1e-5)


def test_labels_belong_to_their_points_and_are_left_out_as_often_as_asked(three: ProbabilityPath) -> None:
    spec = dataclasses.replace(SMALL, batch_size=2000, objective="data", scaling="none", time_features="raw")
    chunk = Batches(three, spec, architecture(three, spec), torch.Generator().manual_seed(0)).draw()
    given, z = chunk.inputs[:, 3:6].movedim(1, 0), chunk.target
    assert chunk.inputs.shape[1] == 3 + 3 + 1
    assert set(given.sum(0).flatten().tolist()) == {0.0, 1.0}
    share = float(given.sum(0).mean())
    assert share == pytest.approx(0.75, abs=5 * (0.75 * 0.25 / given[0].numel()) ** 0.5)
    places = {2: [1], 4: [3], 7: [0, 2]}
    for row, label in zip(given, (2, 4, 7), strict=True):
        chosen = z.movedim(1, -1)[row == 1.0]
        nearest = torch.cdist(chosen, three.p_data.means).argmin(dim=1)
        assert set(nearest.tolist()) == set(places[label])


def test_runs_without_labels_draw_what_they_drew_before(three: ProbabilityPath) -> None:
    plain = dataclasses.replace(SMALL, label_dropout=None)
    with_labels, without = (
        Batches(three, spec, architecture(three, spec), torch.Generator().manual_seed(5)).draw()
        for spec in (SMALL, plain)
    )
    assert torch.equal(with_labels.target, without.target)
    assert without.inputs.shape[1] + 3 == with_labels.inputs.shape[1]


def test_unknown_labels_are_refused(three: ProbabilityPath) -> None:
    model, x = initial_model(three, SMALL), torch.zeros(1, 2)
    with pytest.raises(ParameterError, match="label: expected one of 2, 4, 7, got 3"):
        model.velocity(x, 0.5, 3)
    plain = initial_model(three, dataclasses.replace(SMALL, label_dropout=None))
    assert plain.labels == ()
    with pytest.raises(ParameterError, match="trained without labels"):
        plain.velocity(x, 0.5, 2)
    assert plain.given(None).network is plain.network


@pytest.mark.parametrize("dropout", [-0.1, 1.0, float("nan"), True, "0.1"])
def test_a_dropout_that_cannot_be_is_refused(dropout: object) -> None:
    with pytest.raises(ParameterError, match="label_dropout"):
        TrainSpec(label_dropout=dropout)  # type: ignore[arg-type]


def test_the_exact_target_has_no_labels(three: ProbabilityPath) -> None:
    with pytest.raises(ParameterError, match="objective"):
        require_trainable(three, dataclasses.replace(SMALL, objective="fm"))


def test_files_carry_labels(three: ProbabilityPath) -> None:
    trainer = Trainer(three, SMALL)
    trainer.advance(30)
    model = trainer.snapshot().model
    read = checkpoint.from_bytes(checkpoint.to_bytes(model, SMALL, three, 30))
    assert read.model.labels == (2, 4, 7)
    assert read.spec == SMALL
    assert torch.equal(read.path.p_data.labels, three.p_data.labels)
    x = torch.randn(5, 2, generator=torch.Generator().manual_seed(0))
    assert torch.equal(read.model.velocity(x, 0.3, 7), model.velocity(x, 0.3, 7))


def test_a_file_whose_labels_are_not_those_of_its_data_is_refused(three: ProbabilityPath) -> None:
    model = initial_model(three, SMALL)
    wrong = dataclasses.replace(model.network.architecture, labels=(2, 4, 8))
    data = checkpoint.to_bytes(dataclasses.replace(model, network=MLP(wrong, model.network.weights)), SMALL, three, 0)
    with pytest.raises(CheckpointError, match="labels"):
        checkpoint.from_bytes(data)


def test_older_files_have_no_labels(three: ProbabilityPath) -> None:
    plain = dataclasses.replace(SMALL, label_dropout=None)
    data = checkpoint.to_bytes(initial_model(three, plain), plain, three, 0)
    for written in (b', \\"label_dropout\\": null', b', \\"labels\\": []'):
        assert written in data
        data = data.replace(written, b" " * len(written))
    assert checkpoint.from_bytes(data).model.labels == ()


@pytest.mark.parametrize("objective", ["cfm", "data"])
def test_the_script_draws_the_same_numbers(
    three: ProbabilityPath, objective: str, fresh: FreshProcesses, tmp_path: Path
) -> None:
    spec = dataclasses.replace(SMALL, objective=objective)
    said = fresh.printed(training_script(three, spec), "40", folder=tmp_path)
    printed = torch.tensor([float(line.split()[1]) for line in said.splitlines()])
    trainer = Trainer(three, spec)
    trainer.advance(40)
    torch.testing.assert_close(printed, trainer.snapshot().losses, rtol=2e-3, atol=1e-6)


def test_a_saved_run_goes_on_with_the_same_numbers(three: ProbabilityPath) -> None:
    whole, first = Trainer(three, SMALL), Trainer(three, SMALL)
    whole.advance(50)
    first.advance(20)
    second = Trainer(three, SMALL, first.save())
    second.advance(30)
    assert torch.equal(second.snapshot().model.network.weights, whole.snapshot().model.network.weights)


@pytest.mark.slow
def test_every_label_and_the_whole_are_learned(moons: ProbabilityPath, trained: LearnedModel) -> None:
    for label in (None, 0, 1):
        data = moons.p_data if label is None else moons.p_data.given(label)
        path = ProbabilityPath(moons.p_init, data, moons.scheduler)
        assert Evaluation(path).report(trained.given(label)).own.total < 0.03, label


@pytest.mark.slow
def test_guidance_with_a_learned_network_ends_where_the_exact_one_ends(
    moons: ProbabilityPath, trained: LearnedModel
) -> None:
    """Within 1.5 times the distance of two samples of the exact guided field of that size."""
    g = torch.Generator().manual_seed(0)
    starts = [moons.p_init.sample(1500, generator=g) for _ in range(5)]
    exact, learned = Guidance(moons, 1, 2.0), Guidance(trained, 1, 2.0)
    with torch.inference_mode():
        ends = [solve_ode(exact.velocity, x0, 40)[0][-1] for x0 in starts]
        found = solve_ode(learned.velocity, starts[0], 40)[0][-1]
    pairs = [float(sliced_wasserstein(a, b)) for a, b in itertools.combinations(ends, 2)]
    floor = sum(pairs) / len(pairs)
    distance = sum(float(sliced_wasserstein(found, other)) for other in ends[1:]) / (len(ends) - 1)
    assert distance < 1.5 * floor


@pytest.mark.slow
def test_a_model_has_fields_and_weights_but_no_distributions(moons: ProbabilityPath, trained: LearnedModel) -> None:
    learned, exact = Guidance(trained, 0, 1.4), Guidance(moons, 0, 1.4)
    x = moons.sample(200, 0.5, generator=torch.Generator().manual_seed(1))
    gap = (learned.velocity(x, 0.5) - exact.velocity(x, 0.5)).square().sum() / exact.velocity(x, 0.5).square().sum()
    assert float(gap) < 0.05
    run = simulate_weighted(learned, moons.p_init.sample(100, generator=torch.Generator().manual_seed(2)), 20)
    assert run.log_weights.isfinite().all()
    for ask in (lambda: learned.path, lambda: learned.conditional, lambda: learned.sample_tilted(3)):
        with pytest.raises(FmvizError, match="no distributions"):
            ask()


@pytest.mark.slow
def test_autoguidance_mixes_a_weak_and_a_good_network(moons: ProbabilityPath, trained: LearnedModel) -> None:
    weak = initial_model(moons, TrainSpec(hidden=(8,), label_dropout=0.2, device="cpu"))
    guided = Guidance(trained, 1, 2.0, weak=weak)
    x = torch.randn(20, 2, generator=torch.Generator().manual_seed(3))
    wanted = -weak.velocity(x, 0.4, 1) + 2.0 * trained.velocity(x, 0.4, 1)
    torch.testing.assert_close(guided.velocity(x, 0.4), wanted, rtol=1e-5, atol=1e-5)
    with pytest.raises(ParameterError, match="autoguidance"):
        Guidance(moons, 1, 2.0, weak=weak)


def test_a_network_without_a_score_says_so(bridge: ProbabilityPath) -> None:
    model = initial_model(bridge, dataclasses.replace(SMALL, hidden=(8,)))
    with pytest.raises(FmvizError, match="score"):
        Guidance(model, 0, 2.0).score(torch.zeros(1, 2), 0.5)


# ------------------------------------------------------------------ classifiers

CLASSIFIER = TrainSpec(hidden=(48, 48), batch_size=400, steps=1500, classify=1, device="cpu")


def test_cross_entropy_and_its_gradient_are_those_of_autograd(three: ProbabilityPath) -> None:
    spec = dataclasses.replace(CLASSIFIER, hidden=(9, 7), batch_size=50, classify=7)
    built = architecture(three, spec)
    weights = built.initial_weights(torch.Generator().manual_seed(2))
    chunk = Batches(three, spec, built, torch.Generator().manual_seed(3)).draw()
    assert torch.equal(chunk.target.sum(dim=1), torch.ones(chunk.target.shape[0], 50))
    gradient, loss = Gradient(built, weights, 50, cross_entropy=True), torch.zeros(())
    gradient(chunk.inputs[0], chunk.factor_at(0), chunk.target[0], loss)
    free = weights.clone().requires_grad_()
    h = chunk.inputs[0]
    *hidden, last = built.layers(free)
    for layer in hidden:
        h = torch.cat((ACTIVATIONS[built.activation](layer @ h), torch.ones_like(h[:1])))
    wanted = torch.nn.functional.cross_entropy((last @ h).T, chunk.target[0].T)
    torch.testing.assert_close(loss, wanted)
    torch.testing.assert_close(gradient.gradient, torch.autograd.grad(wanted, free)[0], rtol=1e-4, atol=1e-6)


@pytest.mark.slow
def test_a_classifier_learns_the_exact_posterior(moons: ProbabilityPath) -> None:
    *_, last = train(moons, CLASSIFIER, every=CLASSIFIER.steps)
    t = torch.rand(2000, generator=torch.Generator().manual_seed(1))
    x = moons.sample(2000, t, generator=torch.Generator().manual_seed(2))
    found = last.model.log_probability(x, t).exp()
    assert float((found - moons.classifier(x, t)[:, 1]).square().mean().sqrt()) < 0.05
    with pytest.raises(FmvizError, match="has no velocity"):
        last.model.sampling_velocity(x, 0.5)


def test_a_classifier_travels_in_a_file_and_refuses_the_rest(three: ProbabilityPath) -> None:
    spec = dataclasses.replace(CLASSIFIER, hidden=(6,), classify=4, steps=20)
    model = initial_model(three, spec)
    read = checkpoint.from_bytes(checkpoint.to_bytes(model, spec, three, 0)).model
    x = torch.randn(5, 2, generator=torch.Generator().manual_seed(0))
    assert torch.equal(read.log_probability(x, 0.3), model.log_probability(x, 0.3))
    with pytest.raises(FmvizError, match="probability"):
        initial_model(three, SMALL).log_probability(x, 0.3)
    with pytest.raises(ParameterError, match="classify"):
        initial_model(three, dataclasses.replace(spec, classify=3))
    with pytest.raises(ParameterError, match="no script"):
        training_script(three, spec)
    with pytest.raises(ParameterError, match="classify"):
        TrainSpec(classify=1, label_dropout=0.1)
