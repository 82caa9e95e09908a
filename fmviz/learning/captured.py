"""A training step as a CUDA graph."""

__all__ = ["CapturedStep"]

from collections.abc import Callable

import torch
from torch import Tensor


class CapturedStep:
    """The step as a CUDA graph: at this size a step is bound by launches, and a graph is one. Not tested here: no GPU.

    Args:
        step: what to capture; reads and writes the same tensors each time.
        optimizer: whose state is put back after the warm-up that capturing needs.
        weights: put back as well.
    """

    def __init__(
        self,
        step: Callable[[Tensor, Tensor | float, Tensor], None],
        optimizer: torch.optim.Optimizer,
        weights: Tensor,
    ) -> None:
        self._step, self._optimizer, self._weights = step, optimizer, weights
        self._graph: torch.cuda.CUDAGraph | None = None

    def __call__(self, inputs: Tensor, factor: Tensor | float, target: Tensor) -> None:
        if self._graph is None:
            self._capture(inputs, factor, target)
        self._inputs.copy_(inputs)
        self._target.copy_(target)
        if isinstance(self._factor, Tensor) and isinstance(factor, Tensor):
            self._factor.copy_(factor)
        assert self._graph is not None
        self._graph.replay()

    def _capture(self, inputs: Tensor, factor: Tensor | float, target: Tensor) -> None:
        self._inputs, self._target = inputs.clone(), target.clone()
        self._factor = factor.clone() if isinstance(factor, Tensor) else factor
        before = self._weights.clone()
        state = {name: value.clone() for name, value in self._states()}
        stream = torch.cuda.Stream(self._weights.device)  # type: ignore[no-untyped-call]
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(3):
                self._step(self._inputs, self._factor, self._target)
        torch.cuda.current_stream().wait_stream(stream)
        self._graph = torch.cuda.CUDAGraph()
        # Other threads' work on the device, copies above all, goes on meanwhile.
        with torch.cuda.graph(self._graph, capture_error_mode="thread_local"):
            self._step(self._inputs, self._factor, self._target)
        # Put back in place what the warm-up changed: the graph keeps the addresses.
        self._weights.copy_(before)
        for name, value in self._states():
            value.copy_(state[name]) if name in state else value.zero_()

    def _states(self) -> list[tuple[str, Tensor]]:
        """The optimiser's tensors by name: none before its first step."""
        return [
            (name, value) for name, value in self._optimizer.state[self._weights].items() if isinstance(value, Tensor)
        ]
