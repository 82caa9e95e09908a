"""A network in an ONNX file, run by a process of its own, with bounds on its size, memory and time."""

from __future__ import annotations

__all__ = ["MAX_BYTES", "OnnxError", "OnnxNetwork"]

import importlib.util
import json
import signal
import struct
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fmviz.errors import FmvizError

MAX_BYTES = 50 << 20
"""Largest file, in bytes."""
MEMORY = 200 << 20
"""What the process may allocate beyond its libraries, in bytes; a model of several megabytes has four times its size in addition."""
LOAD_SECONDS, SECONDS = 2.0, 20.0
"""Processor time for the loading, and for all answers together."""
PATIENCE = 60.0
"""Seconds on the wall that a single answer may take on a busy machine."""
MAX_ANSWER = 64 << 20
_LENGTH = struct.Struct("<Q")
"""As in `onnx_child.py`, which is not imported: its libraries stay out of this process."""


class OnnxError(FmvizError, ValueError):
    """A file that is no usable ONNX model, or a model that broke a bound.

    Args:
        detail: what was wrong, in English.
        key: the kind of it, stable.
    """

    def __init__(self, detail: str, *, key: str) -> None:
        self.key = key
        super().__init__(detail)


class OnnxNetwork:
    """A model of ONNX as a function of x and t, for `fmviz.compare`. A context manager: its process ends with the block.

    The model has two inputs, points (N, 2) and times, (N,), (N, 1) or a single number, or one input (N, 3) with the time last, in
    float32 or float64. Its first output is (N, 2). N may be open or fixed.

    Args:
        model: the file.
        seconds: of processor time that all its answers may take.

    Raises:
        OnnxError: onnxruntime is not installed (``pip install "fmviz[onnx]"``); the file is larger than `MAX_BYTES`, no model,
            of an operator set or with operators that are not known, or refers to other files; inputs or outputs are others;
            it needs more memory or time than it may have.
    """

    def __init__(self, model: bytes, *, seconds: float = SECONDS) -> None:
        if importlib.util.find_spec("onnxruntime") is None:
            raise OnnxError("onnxruntime is not installed: pip install 'fmviz[onnx]'", key="onnx_missing")
        if len(model) > MAX_BYTES:
            raise OnnxError(
                f"a file of at most {MAX_BYTES >> 20} MiB is allowed, this one has {len(model) >> 20}",
                key="onnx_size",
            )
        self._lock = threading.Lock()
        self._folder = tempfile.TemporaryDirectory(prefix="fmviz-onnx-")
        child = Path(__file__).with_name("onnx_child.py")
        self._process = subprocess.Popen(
            [sys.executable, "-I", str(child)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=self._folder.name,
            env={"OMP_NUM_THREADS": "1"},
        )
        bounds = {"bytes": MEMORY + 4 * len(model), "load_seconds": LOAD_SECONDS, "seconds": seconds}
        try:
            found, _ = self._ask(json.dumps(bounds).encode(), model, arrays=0)
            self._layout = _Layout(found)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> OnnxNetwork:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the process."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        self._folder.cleanup()

    def __call__(self, x: Tensor | NDArray[Any], t: Tensor | NDArray[Any] | float) -> Tensor:
        """The answers (N, 2), float32 on the CPU, at x (N, 2) and t, (N,), (N, 1) or a number.

        Raises:
            OnnxError: the model failed, broke a bound, or its answer has another shape.
        """
        points = np.asarray(x.detach().cpu() if isinstance(x, Tensor) else x, np.float32)
        times = np.asarray(t.detach().cpu() if isinstance(t, Tensor) else t, np.float32).reshape(-1)
        times = np.ascontiguousarray(np.broadcast_to(times, len(points)))
        found = np.empty((len(points), 2), np.float32)
        with self._lock:
            for rows in self._layout.batches(times):
                given = self._layout.arrays(points[rows], times[rows])
                header = json.dumps([array.shape for array in given]).encode()
                reply, raw = self._ask(header, *(array.tobytes() for array in given), arrays=1)
                shape, wanted = tuple(reply["shape"]), (self._layout.given(len(rows)), 2)
                if shape != wanted:
                    raise OnnxError(f"an answer of shape {wanted} is wanted, not {shape}", key="onnx_answer")
                found[rows] = np.frombuffer(raw, np.float32).reshape(wanted)[: len(rows)]
        return torch.from_numpy(found)

    def _ask(self, *frames: bytes, arrays: int) -> tuple[dict[str, Any], bytes]:
        """Sends frames and waits for the answer: a header, and as many bytes as it has if `arrays` is 1."""
        alarm = threading.Timer(PATIENCE, self._process.kill)
        alarm.start()
        try:
            assert self._process.stdin is not None
            for frame in frames:
                self._process.stdin.write(_LENGTH.pack(len(frame)) + frame)
            self._process.stdin.flush()
            header = json.loads(self._frame())
            if "error" in header:
                _refuse(str(header["error"]), loading=not arrays)
            return header, self._frame() if arrays else b""
        except (BrokenPipeError, EOFError):
            self._say_why_it_has_gone()
        finally:
            alarm.cancel()

    def _frame(self) -> bytes:
        assert self._process.stdout is not None
        head = self._process.stdout.read(_LENGTH.size)
        if len(head) < _LENGTH.size:
            raise EOFError
        size = _LENGTH.unpack(head)[0]
        if size > MAX_ANSWER:
            raise OnnxError(f"an answer of {size} bytes is too large", key="onnx_answer")
        found = self._process.stdout.read(size)
        if len(found) < size:
            raise EOFError
        return found

    def _say_why_it_has_gone(self) -> NoReturn:
        code = self._process.wait()
        if code in (-getattr(signal, "SIGXCPU", 24), -9):
            raise OnnxError("the model took longer than it may", key="onnx_slow")
        raise OnnxError(f"the process that ran the model ended with status {code}", key="onnx_ended")


class _Layout:
    """Which input of a model is what, and how many points it takes at once."""

    def __init__(self, found: dict[str, Any]) -> None:
        inputs, outputs = found["inputs"], found["outputs"]
        shapes = [shape for shape, _ in inputs]
        usable = all(known for _, known in inputs) and bool(outputs) and outputs[0][1]
        points = [k for k, shape in enumerate(shapes) if len(shape) == 2 and shape[1] in (2, 3, None)]
        self._joined = len(shapes) == 1 and bool(points) and shapes[0][1] in (3, None)
        if not usable or not points or not (self._joined or len(shapes) == 2):
            raise OnnxError(
                f"points (N, 2) and times, or both as (N, 3), in floats are wanted, not {shapes}"[:300],
                key="onnx_inputs",
            )
        self._points = next((k for k in points if shapes[k][1] == 2), points[0])
        self._size: int | None = shapes[self._points][0]
        self._time: list[int | None] = [] if self._joined else shapes[1 - self._points]
        self._single = not self._joined and (not self._time or (self._time[0] == 1 and self._size != 1))
        if len(self._time) > 2 or (len(self._time) == 2 and self._time[1] not in (1, None)):
            raise OnnxError(f"times of shape (N,), (N, 1) or a number are wanted, not {self._time}", key="onnx_inputs")

    def batches(self, times: NDArray[np.float32]) -> list[NDArray[np.intp]]:
        """The places of the points that are given at once: those of one time where the model takes one, as many as it takes."""
        rows = np.arange(len(times))
        groups = [rows[times == t] for t in np.unique(times)] if self._single else [rows]
        if self._size is None:
            return groups
        return [group[at : at + self._size] for group in groups for at in range(0, len(group), self._size)]

    def given(self, count: int) -> int:
        """How many points the model gets where there are `count`."""
        return count if self._size is None else self._size

    def arrays(self, x: NDArray[np.float32], t: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """The inputs in their order; a fixed number of points is filled up with the last one."""
        fill = self.given(len(x)) - len(x)
        x, t = np.pad(x, ((0, fill), (0, 0)), mode="edge"), np.pad(t, (0, fill), mode="edge")
        if self._joined:
            return [np.concatenate((x, t[:, None]), axis=1)]
        times = (t[:1] if self._single else t).reshape((-1,) + (1,) * (len(self._time) - 1) if self._time else ())
        return [x, times] if self._points == 0 else [times, x]


def _refuse(said: str, *, loading: bool) -> NoReturn:
    """What the library said, as one of the reasons."""
    if any(word in said for word in ("llocate", "bad_alloc", "emory")):
        raise OnnxError("the model needs more memory than it may have", key="onnx_memory")
    if loading:
        raise OnnxError(f"no ONNX model that can be run here: {said[:200]}", key="onnx_unreadable")
    raise OnnxError(f"the model failed: {said[:200]}", key="onnx_answer")
