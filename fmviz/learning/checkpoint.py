"""Checkpoints: a safetensors file with the weights, and beside them in its metadata what they were trained on and how.

Reading one runs nothing: no pickle, no eval. Everything in the file is checked before it is used: the file may not be
larger than `MAX_BYTES`, its path no larger than `MAX_COMPONENTS` and `MAX_PAIRS`, and every number in it is finite.
"""

__all__ = [
    "KINDS",
    "MAX_BYTES",
    "MAX_COMPONENTS",
    "MAX_PAIRS",
    "Checkpoint",
    "CheckpointError",
    "describe_path",
    "from_bytes",
    "load",
    "read_path",
    "save",
    "to_bytes",
]

import dataclasses
import json
import math
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NoReturn, get_args

import torch
from torch import Tensor

from fmviz.errors import FmvizError
from fmviz.learning import objectives
from fmviz.learning.model import LearnedModel, model_of
from fmviz.learning.networks import MLP, Architecture
from fmviz.learning.spec import TrainSpec
from fmviz.theory import GaussianMixture, ProbabilityPath, schedulers
from fmviz.theory.reprs import one_line
from fmviz.theory.schedulers import Scheduler

MAX_BYTES = 16 << 20
"""Twice the largest network that a `TrainSpec` allows; also the most that a browser may upload (.streamlit/config.toml)."""
MAX_COMPONENTS = 1024
"""Largest number of components of one mixture; a scene has at most 64."""
MAX_PAIRS = 16_384
"""Largest number of pairs of components of p_init and p_data, of which a path holds tables; a scene has at most 4096."""
FORMAT = "fmviz-model-1"
_MAX_HEADER = 1 << 20
# Centres and scales beyond this overflow float32 in a layer or two.
_FAR = 1e12

Kind = Literal["unreadable", "too_large", "damaged", "foreign", "not_finite", "too_many", "inconsistent"]
KINDS: tuple[Kind, ...] = get_args(Kind)
"""What can be wrong with a file, for `CheckpointError`."""


class CheckpointError(FmvizError, ValueError):
    """A file is not a checkpoint of fmviz, or not a whole one.

    Args:
        kind: one of `KINDS`, which the interface translates: the file cannot be read from the disk, is larger than
            `MAX_BYTES`, damaged or truncated, or of another kind; a number in it is not finite, its path has too
            many components, or its parts contradict each other.
        detail: what exactly is wrong, in English.
    """

    def __init__(self, kind: Kind, detail: str) -> None:
        self.kind, self.detail = kind, detail
        super().__init__(f"checkpoint: {detail}")


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """What a checkpoint holds.

    Attributes:
        model: the network, float32 on the CPU.
        spec: the settings of its run.
        path: the path it was trained on.
        step: steps done.
    """

    model: LearnedModel
    spec: TrainSpec
    path: ProbabilityPath
    step: int

    __repr__ = one_line


def to_bytes(model: LearnedModel, spec: TrainSpec, path: ProbabilityPath, step: int) -> bytes:
    """A model as the content of a .safetensors file.

    Args:
        model: of a snapshot of the run.
        spec: the run's settings; with ``ema`` they say that the weights are the average. For `Snapshot.raw` leave that out,
            ``replace(spec, ema=0.0)``: it is the network of a run without average.
        path: what it was trained on.
        step: the snapshot's step.

    Raises:
        CheckpointError: the path is larger than what `from_bytes` reads, or its scheduler has no description.
    """
    from safetensors.torch import save  # learning itself needs torch alone

    _require_size(path.p_init.n_components, path.p_data.n_components)
    metadata = {
        "format": FORMAT,
        "spec": spec.to_json(),
        "path": json.dumps(describe_path(path)),
        "architecture": json.dumps(dataclasses.asdict(model.network.architecture)),
        "step": str(step),
    }
    return save({"weights": model.network.weights.detach().float().cpu().contiguous()}, metadata)


def from_bytes(data: bytes) -> Checkpoint:
    """Read what `to_bytes` wrote.

    Raises:
        CheckpointError: too large, truncated, another kind of file, or content that does not fit together.
    """
    if len(data) > MAX_BYTES:
        raise CheckpointError("too_large", f"expected at most {MAX_BYTES} bytes, got {len(data)}")
    metadata = _metadata(data)
    weights = _weights(data)
    try:
        _read_json(metadata["spec"])
        spec = TrainSpec.from_json(metadata["spec"])
        path = read_path(_read_json(metadata["path"]))
        architecture = _architecture(_read_json(metadata["architecture"]), spec, path)
        step = _step(metadata["step"], spec)
        objectives.require_trainable(path, spec)
        network = MLP(architecture, weights)
    except CheckpointError:
        raise
    except (FmvizError, ValueError, KeyError, TypeError, ArithmeticError, RecursionError, RuntimeError) as error:
        raise CheckpointError(
            "inconsistent", f"what the file says about itself does not fit together ({error})"
        ) from None
    model = model_of(network, spec, path.scheduler, path.p_init.is_standard)
    return Checkpoint(model, spec, path, step)


def save(file: str | Path, model: LearnedModel, spec: TrainSpec, path: ProbabilityPath, step: int) -> None:
    """Write a .safetensors file; see `to_bytes`."""
    Path(file).write_bytes(to_bytes(model, spec, path, step))


def load(file: str | Path) -> Checkpoint:
    """Read a .safetensors file.

    Raises:
        CheckpointError: it cannot be read or is not a checkpoint of fmviz; see `from_bytes`.
    """
    try:
        with Path(file).open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise CheckpointError("unreadable", f"cannot read {file}: {error.strerror}") from None
    return from_bytes(data)


def describe_path(path: ProbabilityPath) -> dict[str, Any]:
    """A path as JSON values; the inverse of `read_path`. float32 numbers survive to the bit."""

    def mixture(law: GaussianMixture) -> dict[str, Any]:
        names = ("means", "covariances", "weights", "labels")
        return {name: getattr(law, name).tolist() for name in names}

    described = {
        "p_init": mixture(path.p_init),
        "p_data": mixture(path.p_data),
        "scheduler": _describe_scheduler(path.scheduler),
    }
    return described if path.gamma == 0.0 else {**described, "gamma": path.gamma}


def read_path(values: Any) -> ProbabilityPath:
    """A path from `describe_path`, float32.

    Raises:
        CheckpointError, FmvizError: values that describe no path.
    """

    def mixture(entries: Any) -> GaussianMixture:
        means, covariances, weights = (
            torch.tensor(entries[name], dtype=torch.float32) for name in ("means", "covariances", "weights")
        )
        return GaussianMixture(means, covariances, weights, torch.tensor(entries["labels"]))

    laws = values["p_init"], values["p_data"]
    _require_size(*(len(law["weights"]) for law in laws))
    p_init, p_data = (mixture(law) for law in laws)
    return ProbabilityPath(p_init, p_data, _read_scheduler(values["scheduler"]), float(values.get("gamma", 0.0)))


def _require_size(init_components: int, data_components: int) -> None:
    if max(init_components, data_components) > MAX_COMPONENTS:
        raise CheckpointError("too_many", f"a mixture must have at most {MAX_COMPONENTS} components")
    if init_components * data_components > MAX_PAIRS:
        raise CheckpointError("too_many", f"a path must have at most {MAX_PAIRS} pairs of components")


def _metadata(data: bytes) -> dict[str, str]:
    """The metadata of a safetensors file: eight bytes of length, then a JSON header."""
    if len(data) < 8:
        raise CheckpointError("damaged", "the file is too short to be a safetensors file")
    (length,) = struct.unpack("<Q", data[:8])
    if length > _MAX_HEADER or data[8:9] not in (b"{", b""):
        raise CheckpointError("foreign", "not a safetensors file")
    if length > len(data) - 8:
        raise CheckpointError("damaged", "the file is truncated")
    try:
        header = json.loads(data[8 : 8 + length])
    except (ValueError, RecursionError):
        raise CheckpointError("foreign", "not a safetensors file (no header)") from None
    metadata = header.get("__metadata__") if isinstance(header, dict) else None
    if not isinstance(metadata, dict) or metadata.get("format") != FORMAT:
        raise CheckpointError("foreign", f"a safetensors file, but not a model of fmviz (format {FORMAT!r})")
    return metadata


def _weights(data: bytes) -> Tensor:
    """The one tensor of a file, finite float32."""
    from safetensors import SafetensorError
    from safetensors.torch import load

    try:
        tensors = load(data)
    except (SafetensorError, ValueError, KeyError, TypeError, RuntimeError) as error:
        raise CheckpointError("damaged", f"the file is damaged or truncated ({error})") from None
    weights = tensors.get("weights")
    if weights is None or len(tensors) != 1 or weights.dtype != torch.float32:
        raise CheckpointError("inconsistent", "expected one float32 tensor named 'weights'")
    if not bool(weights.isfinite().all()):
        raise CheckpointError("not_finite", "the weights hold numbers that are not finite")
    return weights


def _read_json(text: str) -> Any:
    """JSON whose integers have 64 bits and whose other numbers are finite, so that no later conversion can overflow."""

    def refuse(number: str) -> NoReturn:
        raise CheckpointError("not_finite", f"expected finite numbers, got {number:.40}")

    def integer(number: str) -> int:
        return int(number) if len(number) < 20 and abs(int(number)) < 1 << 63 else refuse(number)

    def real(number: str) -> float:
        return float(number) if math.isfinite(float(number)) else refuse(number)

    return json.loads(text, parse_constant=refuse, parse_int=integer, parse_float=real)


def _step(text: str, spec: TrainSpec) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 20 and int(text) <= spec.steps):
        raise CheckpointError("inconsistent", f"step: expected a count from 0 to {spec.steps}, got {text!r:.40}")
    return int(text)


def _architecture(values: Any, spec: TrainSpec, path: ProbabilityPath) -> Architecture:
    said = values["hidden"], values["activation"], values["time_features"]
    if said != (list(spec.hidden), spec.activation, spec.time_features):
        raise CheckpointError("inconsistent", "the architecture differs from the settings")
    x, y = values["centre"]
    centre, scales = (x, y), (values["input_scale"], values["output_scale"])
    if not all(_is_number(value) for value in centre + scales):
        raise CheckpointError("inconsistent", "centre, input_scale, output_scale: expected numbers")
    if max(abs(x), abs(y)) > _FAR or not all(1.0 / _FAR <= scale <= _FAR for scale in scales):
        raise CheckpointError("inconsistent", f"centre, input_scale, output_scale: got {centre} and {scales}")
    return Architecture(
        spec.hidden,
        spec.activation,
        spec.time_features,
        (float(x), float(y)),
        float(scales[0]),
        float(scales[1]),
        _labels(values.get("labels", []), spec, path),
    )


def _labels(values: Any, spec: TrainSpec, path: ProbabilityPath) -> tuple[int, ...]:
    """The labels of a network: those of its data, or none."""
    known = () if spec.label_dropout is None else path.p_data.classes
    if values != list(known):
        raise CheckpointError("inconsistent", "the labels of the network are not those of its data")
    return known


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _describe_scheduler(scheduler: Scheduler) -> dict[str, Any]:
    match scheduler:
        case schedulers.Linear():
            return {"name": "linear"}
        case schedulers.SquareRoot():
            return {"name": "sqrt"}
        case schedulers.Trigonometric():
            return {"name": "trig"}
        case schedulers.Polynomial(exponent=exponent):
            return {"name": "polynomial", "exponent": exponent}
        case schedulers.VariancePreserving(b0=b0, b1=b1):
            return {"name": "vp", "b0": b0, "b1": b1}
        case schedulers.Custom(alpha_text=alpha, beta_text=beta):
            return {"name": "custom", "alpha": alpha, "beta": beta}
        case _:
            raise CheckpointError("inconsistent", f"a scheduler of type {type(scheduler).__name__} has no description")


def _read_scheduler(values: Any) -> Scheduler:
    match values:
        case {"name": "polynomial", "exponent": float() | int() as exponent}:
            return schedulers.get("polynomial", exponent=float(exponent))
        case {"name": "vp", "b0": float() | int() as b0, "b1": float() | int() as b1}:
            return schedulers.VariancePreserving(float(b0), float(b1))
        case {"name": "custom", "alpha": str() as alpha, "beta": str() as beta}:
            return schedulers.custom(alpha, beta)
        case {"name": "linear" | "sqrt" | "trig" as name}:
            return schedulers.get(name)
        case _:
            raise CheckpointError("inconsistent", "no scheduler is described")
