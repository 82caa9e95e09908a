"""The optimisers of a training run: those of torch, without torch's compiler.

An optimiser imports the compiler when it is made and when it steps, for the case that its step is to be compiled: 75 MiB and a
second of every process that trains. Nothing is compiled here.
"""

from __future__ import annotations

__all__ = ["MOMENTUM", "leave_out_compiler", "leave_out_compiler_in_helper", "make", "set_rate", "step"]

import inspect
import multiprocessing

import torch
from torch import Tensor

from fmviz.learning.spec import TrainSpec

MOMENTUM = 0.9
"""Momentum of "sgd"."""


def make(spec: TrainSpec, weights: Tensor) -> torch.optim.Optimizer:
    """The optimiser of `spec` for `weights` (W,), whose gradient is a buffer of its own."""
    on_cuda = weights.device.type == "cuda"
    # A graph reads its learning rate from the device.
    rate: float | Tensor = torch.tensor(spec.learning_rate, device=weights.device) if on_cuda else spec.learning_rate
    match spec.optimizer:
        case "adam":
            return torch.optim.Adam([weights], lr=rate, fused=True, capturable=on_cuda)
        case "adamw":
            decay = spec.weight_decay
            return torch.optim.AdamW([weights], lr=rate, weight_decay=decay, fused=True, capturable=on_cuda)
        case _:
            return torch.optim.SGD([weights], lr=rate, momentum=MOMENTUM, fused=True)


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """The learning rate from the next step on."""
    group = optimizer.param_groups[0]
    if isinstance(group["lr"], Tensor):
        group["lr"].fill_(rate)
    else:
        group["lr"] = rate


def step(optimizer: torch.optim.Optimizer) -> None:
    """One step, without what torch wraps around it: hooks, which there are none of, and the question whether it is compiled.

    From the second step of Adam on, the kernel is called as torch calls it, without the lists that it builds for each step. For
    a network of the usual size they cost as much as the kernel itself, and more again in what they push out of the cache.
    """
    group = optimizer.param_groups[0]
    (weights,) = group["params"]
    state = optimizer.state[weights]
    if "exp_avg" not in state or weights.device.type != "cpu":
        inspect.unwrap(type(optimizer).step)(optimizer)
        return
    state["step"].add_(1.0)
    kernel = torch._fused_adamw_ if isinstance(optimizer, torch.optim.AdamW) else torch._fused_adam_
    beta1, beta2 = group["betas"]
    kernel(
        [weights],
        [weights.grad],
        [state["exp_avg"]],
        [state["exp_avg_sq"]],
        [],
        [state["step"]],
        lr=group["lr"],
        beta1=beta1,
        beta2=beta2,
        weight_decay=group["weight_decay"],
        eps=group["eps"],
        amsgrad=False,
        maximize=False,
    )


def leave_out_compiler() -> None:
    """Lets the optimisers of this process do without the compiler when they are made, where torch marks their methods as it did."""
    for method in vars(torch.optim.Optimizer).values():
        if hasattr(method, "__wrapped__"):  # `torch._disable_dynamo` looks for this mark before it imports the compiler
            setattr(method.__wrapped__, "__dynamo_disable", method.__wrapped__)


def leave_out_compiler_in_helper() -> None:
    """Does so in a process that another one has started to do its work; in any other, torch stays as its user has it."""
    if multiprocessing.parent_process() is not None:
        leave_out_compiler()
