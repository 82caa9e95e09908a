"""The steps of an optimiser are those of torch, to the bit."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from fmviz.learning import TrainSpec, optimizers

RATES = (1e-2, 3e-3, 2e-2, 1e-3)


@pytest.mark.parametrize(
    ("changes", "theirs"),
    [
        ({"optimizer": "adam"}, torch.optim.Adam),
        ({"optimizer": "adamw", "weight_decay": 0.1}, torch.optim.AdamW),
        ({"optimizer": "sgd"}, torch.optim.SGD),
    ],
    ids=["adam", "adamw", "sgd"],
)
def test_a_step_is_that_of_torch(changes: dict[str, Any], theirs: type[torch.optim.Optimizer]) -> None:
    spec = TrainSpec(**changes)
    generator = torch.Generator().manual_seed(1)
    ours, plain = (torch.randn(50, generator=torch.Generator().manual_seed(2)) for _ in range(2))
    ours.grad = torch.zeros(50)
    made = optimizers.make(spec, ours)
    options = (
        {"momentum": optimizers.MOMENTUM}
        if spec.optimizer == "sgd"
        else {"weight_decay": made.defaults["weight_decay"]}
    )
    reference = theirs([plain], lr=1.0, fused=True, **options)  # type: ignore[call-arg]
    for rate in RATES:
        gradient = torch.randn(50, generator=generator)
        ours.grad.copy_(gradient)
        optimizers.set_rate(made, rate)
        optimizers.step(made)
        plain.grad = gradient
        reference.param_groups[0]["lr"] = rate
        reference.step()
        assert torch.equal(ours, plain)


def test_a_saved_optimizer_goes_on_as_it_would_have() -> None:
    first, second = torch.ones(3), torch.ones(3)
    made, again = (optimizers.make(TrainSpec(), weights) for weights in (first, second))
    for weights in (first, second):
        weights.grad = torch.tensor([1.0, -2.0, 0.5])
    for _ in range(3):
        optimizers.step(made)
    again.load_state_dict(made.state_dict())
    second.copy_(first)
    for one in (made, again):
        optimizers.step(one)
    assert torch.equal(first, second)
