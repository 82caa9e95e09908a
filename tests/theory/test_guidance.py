"""Guided fields against independent computations: another implementation, autodiff, finite differences."""

import math

import pytest
import torch
from torch import Tensor
from torch.distributions import Categorical, MixtureSameFamily, MultivariateNormal

from fmviz.errors import ParameterError
from fmviz.theory import GaussianMixture, ProbabilityPath, schedulers
from fmviz.theory.conversions import coefficients
from fmviz.theory.guidance import Guidance
from fmviz.theory.guided_fields import combined
from fmviz.theory.solvers import solve_ode
from tests.theory import builders, reference
from tests.theory.guided import distance, labelled, three_modes

SCALES = (-0.5, 0.0, 1.0, 2.5)
SOURCES = {"standard": builders.standard(), "off the origin": builders.random_mixture(2, seed=6)}


def path_from(source: str, scheduler: str = "linear") -> ProbabilityPath:
    return ProbabilityPath(SOURCES[source], labelled(), schedulers.get(scheduler))


def chosen(mixture: GaussianMixture, label: int | None) -> list[int]:
    return [k for k in range(mixture.n_components) if label is None or int(mixture.labels[k]) == label]


def log_joint(path: ProbabilityPath, x: Tensor, t: float, label: int | None) -> Tensor:
    """log of the part of p_t(x) that the components of a label make, pair by pair with torch.distributions."""
    alpha, beta = float(path.scheduler.alpha(t)), float(path.scheduler.beta(t))
    terms = []
    for k in chosen(path.p_data, label):
        for j in range(path.p_init.n_components):
            law = MultivariateNormal(
                alpha * path.p_data.means[k] + beta * path.p_init.means[j],
                alpha**2 * path.p_data.covariances[k] + beta**2 * path.p_init.covariances[j],
            )
            terms.append(law.log_prob(x) + (path.p_data.weights[k] * path.p_init.weights[j]).log())
    return torch.stack(terms).logsumexp(dim=0)


def gradient(path: ProbabilityPath, x: Tensor, t: float, label: int | None) -> Tensor:
    at = x.clone().requires_grad_()
    return torch.autograd.grad(log_joint(path, at, t, label).sum(), at)[0]


def reference_velocity(path: ProbabilityPath, x: Tensor, t: float, label: int | None) -> Tensor:
    data = builders.to_reference(path.p_data)
    own = chosen(path.p_data, label)
    part = reference.Mixture(data.weights[own], data.means[own], data.covariances[own])
    init = builders.to_reference(path.p_init)
    return torch.stack([torch.as_tensor(reference.evaluate(init, part, "linear", p.numpy(), t).velocity) for p in x])


@pytest.mark.parametrize("label", [3, 7])
@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("t", [0.0, 0.2, 0.77, 1.0])
def test_fields_agree_with_another_implementation_and_with_autodiff(source: str, label: int, t: float) -> None:
    path, x = path_from(source), builders.points(9, seed=3)
    plain, own = (reference_velocity(path, x, t, y) for y in (None, label))
    score, own_score = (gradient(path, x, t, y) for y in (None, label))
    for w in SCALES:
        guided = Guidance(path, label, w)
        assert distance(guided.velocity(x, t), (1 - w) * plain + w * own) < 1e-9
        assert distance(guided.score(x, t), (1 - w) * score + w * own_score) < 1e-9
        rate = w * (w - 1) * ((own - plain) * (own_score - score)).sum(-1)
        assert distance(guided.weight_rate(x, t), rate) < 1e-9


@pytest.mark.parametrize("t", [0.0, 0.4, 1.0])
def test_scales_zero_and_one_are_the_exact_fields_to_the_bit(t: float) -> None:
    path, x = path_from("off the origin"), builders.points(50, seed=4).float()
    for w, exact in ((0.0, path), (1.0, Guidance(path, 5).conditional)):
        guided = Guidance(path, 5, w)
        assert torch.equal(guided.velocity(x, t), exact.marginal_velocity(x, t))
        assert torch.equal(guided.score(x, t), exact.marginal_score(x, t))
        times = torch.full((50,), t, dtype=torch.float64)
        assert torch.equal(guided.velocity(x, times), exact.marginal_velocity(x, times))
        assert not guided.weight_rate(x, t).any()


@pytest.mark.parametrize("scheduler", ["linear", "trig"])
def test_classifier_guidance_is_the_same_field(scheduler: str) -> None:
    """u + w b_t grad log p_t(y|x), the gradient of an independent classifier by autodiff."""
    path, x, w, t = path_from("standard", scheduler), builders.points(40, seed=5), 2.5, 0.35
    slope = gradient(path, x, t, 3) - gradient(path, x, t, None)
    wanted = path.marginal_velocity(x, t) + w * coefficients(path.scheduler, t).b * slope
    assert distance(Guidance(path, 3, w).velocity(x, t), wanted) < 1e-9


def test_the_classifier_is_the_share_of_each_label_in_the_density() -> None:
    path, x, t = path_from("off the origin"), builders.points(30, seed=6), 0.6
    found = path.classifier(x, t)
    assert path.p_data.classes == (3, 5, 7)
    for column, label in enumerate(path.p_data.classes):
        wanted = log_joint(path, x, t, label) - log_joint(path, x, t, None)
        assert distance(found[:, column], wanted.exp()) < 1e-9
        assert distance(Guidance(path, label).log_classifier(x, t), wanted) < 1e-9


def test_the_score_is_that_of_the_tilted_law() -> None:
    guided, t = Guidance(path_from("off the origin"), 3, 2.5), 0.7
    x = builders.points(20, seed=7).requires_grad_()
    slope = torch.autograd.grad(guided.log_tilted(x, t).sum(), x)[0]
    assert distance(guided.score(x.detach(), t), slope) < 1e-9
    wanted = -1.5 * log_joint(guided.path, x, t, None) + 2.5 * log_joint(guided.path, x, t, 3)
    assert distance(guided.log_tilted(x, t), wanted) < 1e-9


@pytest.mark.parametrize("source", SOURCES)
def test_the_tilted_law_moves_with_the_field_and_the_weights(source: str) -> None:
    """d/dt q + div(q u) = q (r - E[r]) by central differences: the error falls as the square of the step."""
    guided, t = Guidance(path_from(source), 3, 1.4), 0.5
    residuals = []
    for cells in (100, 200):
        side = torch.linspace(-7.0, 7.0, cells, dtype=torch.float64)
        step = float(side[1] - side[0])
        x = torch.stack(torch.meshgrid(side, side, indexing="xy"), dim=-1)

        def law(time: float, x: Tensor = x, step: float = step) -> Tensor:
            density = guided.log_tilted(x, time).exp()
            return density / (density.sum() * step**2)

        h = 0.05 * step
        q = law(t)
        flux = q.unsqueeze(-1) * guided.velocity(x, t)
        divergence = (flux[1:-1, 2:, 0] - flux[1:-1, :-2, 0] + flux[2:, 1:-1, 1] - flux[:-2, 1:-1, 1]) / (2 * step)
        rate = guided.weight_rate(x, t)
        mean = (q * rate).sum() * step**2
        change = (law(t + h) - law(t - h)) / (2 * h)
        gap = (change - q * (rate - mean))[1:-1, 1:-1] + divergence
        residuals.append(float(gap.abs().max() / change.abs().max()))
        assert float((q * (rate - mean)).abs().max() / change.abs().max()) > 0.02  # the weights are no rounding
    assert residuals[1] < 0.03
    assert residuals[0] / residuals[1] > 3.0


def test_the_scale_holds_at_both_ends_of_its_interval_and_at_many_times_at_once() -> None:
    path, x = three_modes(), builders.points(5, seed=9)
    guided = Guidance(path, 2, 1.8, (0.3, 0.8))
    times = torch.tensor([0.0, 0.29, 0.3, 0.5, 0.8, 0.81, 1.0], dtype=torch.float64)
    scales = [1.0, 1.0, 1.8, 1.8, 1.8, 1.0, 1.0]
    assert guided.scale_at(times).tolist() == scales
    assert [guided.scale_at(float(t)) for t in times] == scales
    for t, scale in zip(times.tolist(), scales, strict=True):
        plain = Guidance(path, 2, scale)
        for together, alone in (
            (guided.velocity, plain.velocity),
            (guided.score, plain.score),
            (guided.weight_rate, plain.weight_rate),
            (guided.log_tilted, plain.log_tilted),
        ):
            found = together(x, torch.full((5,), t, dtype=torch.float64))
            assert distance(found, alone(x, t)) < 1e-12
            assert distance(together(x, t), alone(x, t)) < 1e-12
    assert torch.equal(Guidance(path, 2).velocity(x, 0.4), Guidance(path, 2, 1.0, (0.0, 1.0)).velocity(x, 0.4))


def test_end_points_of_the_guided_flow_do_not_depend_on_the_scheduler() -> None:
    x0, data = builders.points(20, seed=1, scale=1.0), labelled()
    ends = []
    for name in ("linear", "trig"):
        path = ProbabilityPath(builders.standard(), data, schedulers.get(name))
        guided = Guidance(path, 3, 2.5)
        guided.prepare([i / 400 for i in range(401)])
        ends.append(solve_ode(guided.velocity, x0, 200, "rk4")[0][-1])
    assert distance(ends[0], ends[1]) < 1e-7


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"label": 4}, "label: expected one of 0, 1, 2"),
        ({"scale": math.nan}, "scale: expected a finite number"),
        ({"interval": (0.8, 0.2)}, "interval: expected two times"),
        ({"interval": (0.0, 1.5)}, "interval: expected two times"),
        ({"interval": (math.nan, 1.0)}, "interval: expected two times"),
        ({"interval": (-0.1, 1.0)}, "interval: expected two times"),
        ({"interval": (0.5, 0.5)}, "interval: expected two times"),
    ],
)
def test_what_cannot_be_is_refused(wrong: dict[str, object], complaint: str) -> None:
    with pytest.raises(ParameterError, match=complaint):
        Guidance(**({"path": three_modes(), "label": 0, "scale": 2.0} | wrong))  # type: ignore[arg-type]


def test_one_label_leaves_nothing_to_guide() -> None:
    data = GaussianMixture(
        labelled().means, labelled().covariances, labelled().weights, torch.zeros(5, dtype=torch.int64)
    )
    path = ProbabilityPath(builders.standard(), data, schedulers.get("linear"))
    x = builders.points(10, seed=1)
    assert distance(Guidance(path, 0, 5.0).velocity(x, 0.5), path.marginal_velocity(x, 0.5)) < 1e-12
    assert distance(Guidance(path, 0, 5.0).weight_rate(x, 0.5), torch.zeros(10)) < 1e-12


def test_given_keeps_the_components_of_the_label() -> None:
    mixture = labelled()
    part = mixture.given(5)
    independent = MixtureSameFamily(
        Categorical(mixture.weights[3:]), MultivariateNormal(mixture.means[3:], mixture.covariances[3:])
    )
    x = builders.points(20, seed=2)
    assert distance(part.log_density(x), independent.log_prob(x)) < 1e-12
    assert part.classes == (5,)
    with pytest.raises(ParameterError, match="label: expected one of 3, 5, 7, got 4"):
        mixture.given(4)


def test_one_side_alone_is_asked_where_the_scale_is_0_or_1_and_both_are_beside_it():
    def never() -> Tensor:
        raise AssertionError("asked for nothing")

    plain, own = torch.tensor([1.0]), torch.tensor([3.0])
    assert combined(0.0, lambda: plain, never) is plain
    assert combined(1.0, never, lambda: own) is own
    for scale in (0.01, 0.99, 1.01):
        assert combined(scale, lambda: plain, lambda: own).item() == pytest.approx(1.0 + 2.0 * scale)
