"""The network against torch.nn, and its hand-written gradient against autograd."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from fmviz.errors import ParameterError
from fmviz.learning.backprop import Gradient
from fmviz.learning.networks import ACTIVATIONS, MLP, TIME_FEATURES, Architecture

MODULES: dict[str, type[nn.Module]] = {"silu": nn.SiLU, "relu": nn.ReLU, "tanh": nn.Tanh, "gelu": nn.GELU}


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def as_module(network: MLP) -> nn.Sequential:
    layers: list[nn.Module] = []
    for matrix in network.architecture.layers(network.weights):
        layer = nn.Linear(matrix.shape[1] - 1, matrix.shape[0])
        layer.weight.data, layer.bias.data = matrix[:, :-1].clone(), matrix[:, -1].clone()
        layers += [layer, MODULES[network.architecture.activation]()]
    return nn.Sequential(*layers[:-1])


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("time_features", TIME_FEATURES)
def test_agrees_with_torch_nn(activation: str, time_features: str) -> None:
    architecture = Architecture((16, 8), activation, time_features, (1.0, -2.0), 3.0, 2.5)
    network = MLP(architecture, architecture.initial_weights(generator()))
    x, t = torch.randn(40, 2, generator=generator(1)), torch.rand(40, generator=generator(2))
    columns = [(x[:, 0] - 1.0) / 3.0, (x[:, 1] + 2.0) / 3.0, t]
    if time_features == "fourier":
        columns += [torch.sin(math.pi * k * t) for k in (1, 2, 3, 4)] + [
            torch.cos(math.pi * k * t) for k in (1, 2, 3, 4)
        ]
    expected = 2.5 * as_module(network)(torch.stack(columns, dim=1))
    torch.testing.assert_close(network(x, t), expected, atol=1e-6, rtol=1e-5)


def test_same_seed_same_weights_and_within_the_usual_bounds() -> None:
    architecture = Architecture((64, 64))
    weights = architecture.initial_weights(generator(3))
    assert torch.equal(weights, architecture.initial_weights(generator(3)))
    assert not torch.equal(weights, architecture.initial_weights(generator(4)))
    for matrix in architecture.layers(weights):
        bound = 1.0 / math.sqrt(matrix.shape[1] - 1)
        assert 0.8 * bound < float(matrix.abs().max()) <= bound


def test_shapes_and_gradients_follow_x_and_t() -> None:
    architecture = Architecture((8,))
    network = MLP(architecture, architecture.initial_weights(generator()))
    x = torch.randn(5, 2, generator=generator(1))
    times = torch.tensor([[0.0], [0.5], [1.0]])
    out = network(x, times)
    assert out.shape == (3, 5, 2)
    torch.testing.assert_close(out[1], network(x, 0.5))
    assert network(x[0], 0.5).shape == (2,)
    assert network(x.double(), 0.5).dtype == torch.float64
    moving = x.clone().requires_grad_()
    (slope,) = torch.autograd.grad(network(moving, 0.5).sum(), moving)
    assert slope.shape == x.shape


@pytest.mark.parametrize("hidden", [(), (7,), (16, 5, 9)])
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("weighted", [False, True])
def test_hand_written_gradient_is_that_of_autograd(hidden: tuple[int, ...], activation: str, weighted: bool) -> None:
    architecture = Architecture(hidden, activation, "fourier", (0.5, 0.0), 2.0, 1.7)
    weights = architecture.initial_weights(generator()).double()
    g = generator(1)
    x, y = torch.randn(30, 2, generator=g).double(), torch.randn(30, 2, generator=g).double()
    t, rows = torch.rand(30, generator=g).double(), torch.rand(1, 30, generator=g).double()
    factor: Tensor | float = rows if weighted else 1.0
    step = Gradient(architecture, weights, 30)
    inputs = torch.stack([*architecture.features(x[:, 0], x[:, 1], t), torch.ones(30).double()])
    loss = torch.zeros((), dtype=torch.float64)
    for _ in range(2):  # the second call must not see what the first left behind
        step(inputs, factor, y.T, loss)
    free = weights.clone().requires_grad_()
    by_point = rows.T if weighted else 1.0
    expected = (by_point * MLP(architecture, free)(x, t) - y).square().sum(-1).mean()
    (slope,) = torch.autograd.grad(expected, free)
    torch.testing.assert_close(loss, expected.detach(), atol=1e-12, rtol=1e-12)
    torch.testing.assert_close(step.gradient, slope, atol=1e-12, rtol=1e-12)


def test_wrong_parameters_are_named() -> None:
    with pytest.raises(ParameterError, match="activation"):
        Architecture((8,), "sine")
    with pytest.raises(ParameterError, match="time_features"):
        Architecture((8,), time_features="none")
    architecture = Architecture((8,))
    with pytest.raises(ParameterError, match="weights"):
        MLP(architecture, torch.zeros(3))
    network = MLP(architecture, torch.zeros(architecture.n_weights))
    with pytest.raises(ParameterError, match=r"x: expected a floating tensor"):
        network(torch.zeros(4, 3), 0.5)
    with pytest.raises(ParameterError, match="t: expected a shape"):
        network(torch.zeros(4, 2), torch.zeros(3))


@pytest.mark.parametrize("scale", [0.0, -1.0, math.inf, math.nan])
@pytest.mark.parametrize("name", ["input_scale", "output_scale"])
def test_a_scale_is_a_positive_number(name: str, scale: float) -> None:
    with pytest.raises(ParameterError, match="positive numbers"):
        Architecture((8,), **{name: scale})
