"""Runs an ONNX model for a parent that does not trust it; started as ``python -I onnx_child.py`` in an empty folder.

Messages in both directions are frames: eight bytes of length, then the bytes. The first two frames are the bounds, as JSON, and the
model; the answer describes its inputs and its outputs. Then each request is one of JSON, which says the shapes of the arrays that
follow, each a frame of float32; the answer is a JSON frame and one of float32. A JSON answer may be ``{"error": "…"}`` instead.

Not imported by fmviz: this file needs NumPy and onnxruntime alone, so that it starts quickly and has nothing in reach.
"""

from __future__ import annotations

import json
import math
import struct
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

if sys.platform != "win32":  # where the parent's clock is the only bound
    import resource

LENGTH = struct.Struct("<Q")
TYPES = {"tensor(float)": np.float32, "tensor(double)": np.float64}


def read() -> bytes:
    """The next frame; the process ends when the parent has gone."""
    head = sys.stdin.buffer.read(LENGTH.size)
    if len(head) < LENGTH.size:
        sys.exit(0)
    return sys.stdin.buffer.read(LENGTH.unpack(head)[0])


def write(*frames: bytes) -> None:
    """Sends frames."""
    for frame in frames:
        sys.stdout.buffer.write(LENGTH.pack(len(frame)) + frame)
    sys.stdout.buffer.flush()


def bound_memory(more: int) -> None:
    """From now on `more` bytes may be allocated, no file written and no process started."""
    if sys.platform == "win32" or not Path("/proc/self/statm").exists():
        return
    data = int(Path("/proc/self/statm").read_text().split()[5]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_DATA, (data + more, data + more))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def bound_time(seconds: float) -> None:
    """From now on the process may compute for so long; then the system ends it."""
    if sys.platform == "win32":
        return
    usage = resource.getrusage(resource.RUSAGE_SELF)
    soft = math.ceil(usage.ru_utime + usage.ru_stime + seconds)
    resource.setrlimit(resource.RLIMIT_CPU, (soft, resource.getrlimit(resource.RLIMIT_CPU)[1]))


def load(model: bytes) -> onnxruntime.InferenceSession:
    """The model, on one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def described(session: onnxruntime.InferenceSession) -> dict[str, Any]:
    """Inputs and outputs as [shape, whether the type is one that can be given]; a dimension that is open is None."""

    def sides(shape: list[Any]) -> list[int | None]:
        return [side if isinstance(side, int) else None for side in shape]

    return {
        "inputs": [[sides(each.shape), each.type in TYPES] for each in session.get_inputs()],
        "outputs": [[sides(each.shape), each.type in TYPES] for each in session.get_outputs()],
    }


def answer(session: onnxruntime.InferenceSession, shapes: list[list[int]]) -> tuple[bytes, bytes]:
    """The first output for the arrays that follow, as a header and float32."""
    given = {}
    for each, shape in zip(session.get_inputs(), shapes, strict=True):
        given[each.name] = np.frombuffer(read(), np.float32).reshape(shape).astype(TYPES[each.type])
    found = np.asarray(session.run([session.get_outputs()[0].name], given)[0], np.float32)
    return json.dumps({"shape": found.shape}).encode(), found.tobytes()


def main() -> None:
    """Loads the model and answers until the parent leaves."""
    bounds = json.loads(read())
    model = read()
    bound_memory(bounds["bytes"])
    bound_time(bounds["load_seconds"])
    try:
        session = load(model)
    except Exception as error:
        write(json.dumps({"error": str(error)[:2000]}).encode())
        return
    write(json.dumps(described(session)).encode())
    bound_time(bounds["seconds"])
    while True:
        shapes = json.loads(read())
        try:
            frames = answer(session, shapes)
        except Exception as error:
            write(json.dumps({"error": str(error)[:2000]}).encode())
            return
        write(*frames)


if __name__ == "__main__":
    main()
