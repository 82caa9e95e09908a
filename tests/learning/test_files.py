"""Checkpoints: what is written is read again, and what cannot be a run of ours is refused."""

from __future__ import annotations

import json
import struct
import tomllib
from pathlib import Path
from typing import Any

import pytest
import torch

from fmviz.errors import FmvizError
from fmviz.learning import Trainer, TrainSpec, checkpoint
from fmviz.learning.checkpoint import CheckpointError
from fmviz.learning.networks import Architecture
from fmviz.learning.spec import MAX_DEPTH, MAX_WIDTH
from fmviz.scene.components import MAX_COMPONENTS
from fmviz.theory import GaussianMixture, ProbabilityPath, schedulers
from fmviz.theory.schedulers import Scheduler
from fmviz.theory.solvers import solve_ode

SPEC = TrainSpec(hidden=(16, 16), batch_size=100, steps=100, device="cpu")
SCHEDULERS = [
    *(schedulers.get(name) for name in schedulers.NAMES),
    schedulers.get("polynomial", exponent=2.5),
    schedulers.VariancePreserving(0.2, 15.0),
    schedulers.custom("sin(pi*t/2)", "sqrt(1 - t) + min(0, t)"),
]


@pytest.fixture(scope="module")
def written(ring8: ProbabilityPath) -> bytes:
    trainer = Trainer(ring8, SPEC)
    trainer.advance(20)
    return checkpoint.to_bytes(trainer.snapshot().model, SPEC, ring8, 20)


@pytest.mark.parametrize("scheduler", SCHEDULERS, ids=str)
def test_checkpoint_saved_loaded_sampled_gives_the_same_samples(
    scheduler: Scheduler, course: ProbabilityPath, tmp_path: Path
) -> None:
    path = ProbabilityPath(course.p_init, course.p_data, scheduler)
    trainer = Trainer(path, SPEC)
    trainer.advance(20)
    model = trainer.snapshot().model
    checkpoint.save(tmp_path / "model.safetensors", model, SPEC, path, 20)
    found = checkpoint.load(tmp_path / "model.safetensors")
    assert (found.spec, found.step) == (SPEC, 20)
    assert found.path.scheduler == scheduler
    assert torch.equal(found.path.p_data.means, path.p_data.means)
    assert torch.equal(found.path.p_data.labels, path.p_data.labels)
    x0 = torch.randn(50, 2, generator=torch.Generator().manual_seed(0))
    expected, _ = solve_ode(model.sampling_velocity, x0, steps=10)
    again, _ = solve_ode(found.model.sampling_velocity, x0, steps=10)
    assert torch.equal(again, expected)


def test_truncated_files_are_refused(written: bytes) -> None:
    assert checkpoint.from_bytes(written).step == 20
    for length in (0, 1, 7, 8, 9, 100, len(written) // 2, len(written) - 1):
        with pytest.raises(CheckpointError):
            checkpoint.from_bytes(written[:length])
    with pytest.raises(CheckpointError):
        checkpoint.from_bytes(written + b"x")


@pytest.mark.parametrize("step", [0, 100])
def test_a_run_is_read_at_its_first_and_at_its_last_step(written: bytes, step: int) -> None:
    assert checkpoint.from_bytes(rewritten(written, step=str(step))).step == step


def test_a_file_of_the_largest_size_is_looked_into() -> None:
    for size, kind in ((checkpoint.MAX_BYTES, "foreign"), (checkpoint.MAX_BYTES + 1, "too_large")):
        with pytest.raises(CheckpointError) as caught:
            checkpoint.from_bytes(bytes(size))
        assert caught.value.kind == kind


def test_scales_are_read_up_to_the_largest_that_is_allowed(written: bytes) -> None:
    for place in (("input_scale",), ("output_scale",)):
        for value in (1e-12, 1e12):
            assert checkpoint.from_bytes(bent(written, "architecture", place, value)).step == 20


def test_a_header_that_claims_more_than_a_mebibyte_is_no_file_of_ours(written: bytes) -> None:
    for length, kind in ((2**20, "damaged"), (2**20 + 1, "foreign")):
        with pytest.raises(CheckpointError) as caught:
            checkpoint.from_bytes(struct.pack("<Q", length) + written[8:])
        assert caught.value.kind == kind


def rewritten(data: bytes, **changes: str | None) -> bytes:
    """The file with other metadata."""
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    for key, value in changes.items():
        if value is None:
            del header["__metadata__"][key]
        else:
            header["__metadata__"][key] = value
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data[8 + length :]


@pytest.mark.parametrize(
    "changes",
    [
        {"format": "other"},
        {"format": None},
        {"spec": None},
        {"spec": "{}"},
        {"spec": '{"steps": -1}'},
        {"spec": '{"hidden": [16, 17]}'},
        {"path": "[]"},
        {"path": "not json"},
        {"path": '{"p_init": 1}'},
        {"path": "[" * 50_000},
        {"architecture": "{}"},
        {"architecture": '{"centre": [0, 0], "hidden": [16, 16], "input_scale": NaN, "output_scale": 1}'},
        {"step": "many"},
        {"step": "-1"},
        {"step": "101"},
        {"step": "1_0"},
        {"step": "٣"},
        {"step": "9" * 4000},
        {"step": "9" * 5000},
        {"step": ""},
    ],
    ids=lambda changes: str(changes)[:60],
)
def test_files_that_contradict_themselves_are_refused(written: bytes, changes: dict[str, str | None]) -> None:
    with pytest.raises(CheckpointError, match=r"^checkpoint: "):
        checkpoint.from_bytes(rewritten(written, **changes))


def described(data: bytes, part: str) -> Any:
    """One part of the metadata, read."""
    (length,) = struct.unpack("<Q", data[:8])
    return json.loads(json.loads(data[8 : 8 + length])["__metadata__"][part])


def bent(data: bytes, part: str, place: tuple[str | int, ...], value: object) -> bytes:
    """The file with another value at a place in one part of its metadata."""
    whole = inner = described(data, part)
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    return rewritten(data, **{part: json.dumps(whole)})


NUMBERS: list[tuple[str, tuple[str | int, ...]]] = [
    ("architecture", ("input_scale",)),
    ("architecture", ("output_scale",)),
    ("architecture", ("centre", 1)),
    ("spec", ("learning_rate",)),
    ("spec", ("gradient_clip",)),
    ("spec", ("steps",)),
    ("spec", ("hidden", 0)),
    ("path", ("scheduler", "exponent")),
    ("path", ("p_data", "means", 0, 0)),
    ("path", ("p_init", "covariances", 0, 0, 0)),
    ("path", ("p_data", "weights", 0)),
    ("path", ("p_data", "labels", 0)),
]


@pytest.fixture(scope="module")
def curved(ring8: ProbabilityPath) -> bytes:
    """A checkpoint whose scheduler has a number."""
    path = ProbabilityPath(ring8.p_init, ring8.p_data, schedulers.get("polynomial", exponent=3.0))
    return checkpoint.to_bytes(Trainer(path, SPEC).snapshot().model, SPEC, path, 0)


@pytest.mark.parametrize(
    "value",
    [10**400, -(10**400), 10**20, 2**63, float("nan"), float("inf")],
    ids=["400 digits", "400 negative digits", "more than 64 bits", "64 bits and a sign", "nan", "inf"],
)
@pytest.mark.parametrize(("part", "place"), NUMBERS, ids=str)
def test_numbers_that_nothing_can_hold_are_refused(
    curved: bytes, part: str, place: tuple[str | int, ...], value: float
) -> None:
    with pytest.raises(CheckpointError, match="finite") as caught:
        checkpoint.from_bytes(bent(curved, part, place, value))
    assert caught.value.kind == "not_finite"


def test_a_literal_beyond_floating_point_is_refused(curved: bytes) -> None:
    text = json.dumps(described(curved, "architecture")).replace('"input_scale": ', '"input_scale": 1e400, "old": ')
    with pytest.raises(CheckpointError, match="1e400"):
        checkpoint.from_bytes(rewritten(curved, architecture=text))


@pytest.mark.parametrize(
    ("place", "value"),
    [
        *((("input_scale",), value) for value in (0, -1.0, 1e-300, 1e300, "1", "nan", True, None)),
        *((("output_scale",), value) for value in (0.0, -2, "inf")),
        *((("centre",), value) for value in (["nan", 0], [1e300, 0], [0], [0, 0, 0], "00", 3)),
        (("activation",), "relu"),
        (("time_features",), "raw"),
        (("hidden",), [16]),
    ],
    ids=str,
)
def test_an_architecture_that_cannot_be_is_refused(written: bytes, place: tuple[str], value: object) -> None:
    with pytest.raises(CheckpointError) as caught:
        checkpoint.from_bytes(bent(written, "architecture", place, value))
    assert caught.value.kind == "inconsistent"


@pytest.mark.parametrize(
    "scheduler",
    [
        {"name": "polynomial"},
        {"name": "polynomial", "exponent": "3"},
        {"name": "polynomial", "exponent": 0.5},
        {"name": "vp", "b0": 0.1},
        {"name": "vp", "b0": 1, "b1": []},
        {"name": "custom", "alpha": "t"},
        {"name": "other"},
        {},
    ],
    ids=str,
)
def test_a_scheduler_that_is_half_described_is_refused(written: bytes, scheduler: dict[str, object]) -> None:
    with pytest.raises(CheckpointError) as caught:
        checkpoint.from_bytes(bent(written, "path", ("scheduler",), scheduler))
    assert caught.value.kind == "inconsistent"


def many(components: int) -> dict[str, Any]:
    """A mixture of so many equal components, described."""
    return {
        "means": [[0, 0]] * components,
        "covariances": [[[1, 0], [0, 1]]] * components,
        "weights": [1] * components,
        "labels": [0] * components,
    }


@pytest.mark.parametrize("counts", [(1, 4096), (4096, 1), (4096, 4096), (1024, 17), (129, 128)], ids=str)
def test_a_path_of_too_many_pairs_is_refused_before_it_is_built(
    written: bytes, counts: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    bomb = bent(bent(written, "path", ("p_init",), many(counts[0])), "path", ("p_data",), many(counts[1]))
    monkeypatch.setattr(checkpoint, "GaussianMixture", None)
    monkeypatch.setattr(checkpoint, "ProbabilityPath", None)
    with pytest.raises(CheckpointError, match="at most") as caught:
        checkpoint.from_bytes(bomb)
    assert caught.value.kind == "too_many"


def test_as_many_pairs_as_are_allowed_are_read(written: bytes) -> None:
    found = checkpoint.from_bytes(bent(bent(written, "path", ("p_init",), many(128)), "path", ("p_data",), many(128)))
    assert found.path.p_init.n_components * found.path.p_data.n_components == 16_384 == checkpoint.MAX_PAIRS


def test_the_largest_scene_is_read_and_what_could_not_be_read_is_not_written(written: bytes) -> None:
    most = many(MAX_COMPONENTS)
    largest = checkpoint.from_bytes(bent(bent(written, "path", ("p_init",), most), "path", ("p_data",), most))
    assert largest.path.p_init.n_components == largest.path.p_data.n_components == MAX_COMPONENTS
    crowd = GaussianMixture(torch.zeros(129, 2), torch.eye(2).expand(129, 2, 2), torch.ones(129))
    with pytest.raises(CheckpointError, match="pairs"):
        checkpoint.to_bytes(largest.model, SPEC, ProbabilityPath(crowd, crowd, schedulers.get("linear")), 0)


def test_the_largest_network_fits_and_the_browser_may_upload_it() -> None:
    largest = Architecture((MAX_WIDTH,) * MAX_DEPTH, time_features="fourier")
    assert 4 * largest.n_weights + (1 << 20) < checkpoint.MAX_BYTES
    settings = Path(__file__).parents[2] / ".streamlit/config.toml"
    assert tomllib.loads(settings.read_text())["server"]["maxUploadSize"] << 20 == checkpoint.MAX_BYTES


def test_each_refusal_says_of_which_kind_it_is(written: bytes, tmp_path: Path) -> None:
    nan = written[:-4] + struct.pack("<f", float("nan"))
    found = {}
    for name, content in {
        "too_large": bytes(checkpoint.MAX_BYTES + 1),
        "damaged": written[: len(written) // 2],
        "foreign": b"these are no weights, but a shopping list",
        "not_finite": nan,
        "too_many": bent(written, "path", ("p_data",), many(2000)),
        "inconsistent": rewritten(written, step="x"),
    }.items():
        with pytest.raises(CheckpointError) as caught:
            checkpoint.from_bytes(content)
        found[name] = caught.value.kind
    with pytest.raises(CheckpointError) as caught:
        checkpoint.load(tmp_path / "absent")
    found["unreadable"] = caught.value.kind
    assert all(name == kind for name, kind in found.items()), found
    assert set(found) == set(checkpoint.KINDS)


@pytest.mark.parametrize("missing", [1, 4, 16])
def test_a_file_that_ends_within_its_header_is_damaged_and_not_foreign(written: bytes, missing: int) -> None:
    end_of_header = 8 + struct.unpack("<Q", written[:8])[0]
    with pytest.raises(CheckpointError) as caught:
        checkpoint.from_bytes(written[: end_of_header - missing])
    assert caught.value.kind == "damaged"


def test_foreign_files_are_refused(tmp_path: Path, written: bytes) -> None:
    from safetensors.torch import save

    foreign = [b"PK\x03\x04" + bytes(100), b"\x80\x04" + bytes(50), bytes(1000), save({"weights": torch.zeros(3)})]
    foreign.append(struct.pack("<Q", 2**63) + bytes(20))
    for content in foreign:
        with pytest.raises(CheckpointError):
            checkpoint.from_bytes(content)
    damaged = bytearray(written)
    damaged[-4:] = struct.pack("<f", float("nan"))
    with pytest.raises(CheckpointError, match="finite"):
        checkpoint.from_bytes(bytes(damaged))
    big = tmp_path / "big"
    big.write_bytes(bytes(checkpoint.MAX_BYTES + 1))
    with pytest.raises(CheckpointError, match="at most"):
        checkpoint.load(big)
    with pytest.raises(CheckpointError, match="cannot read"):
        checkpoint.load(tmp_path / "absent")
    assert issubclass(CheckpointError, FmvizError)
