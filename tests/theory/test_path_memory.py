"""What a path remembers of its times, and that neither this nor the size of blocks changes what it answers."""

import subprocess
import sys
import weakref
from pathlib import Path

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from fmviz.errors import ParameterError
from fmviz.theory import GaussianMixture, ProbabilityPath, path_at_times, presets, schedulers
from tests.theory import builders


def test_results_do_not_depend_on_the_size_of_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    path = ProbabilityPath(builders.standard(), builders.random_mixture(5, 4), schedulers.get("linear"))
    x, times = builders.points(101, 0), torch.linspace(0, 1, 7, dtype=torch.float64)[:, None]
    whole = (path.log_density(x, times), *path.velocity_and_score(x, times))
    moving = x.expand(7, 101, 2) + times[..., None]
    whole_moving = path.log_density(moving, times)
    for size in (8, 400, 4800, 9600):
        monkeypatch.setattr("fmviz.theory.gaussians._BLOCK_BYTES", size)
        for a, b in zip(whole, (path.log_density(x, times), *path.velocity_and_score(x, times)), strict=True):
            assert torch.allclose(a, b, rtol=1e-13, atol=1e-13)
        assert torch.allclose(whole_moving, path.log_density(moving, times), rtol=1e-13)
        leaf = x.clone().requires_grad_()
        (gradient,) = torch.autograd.grad(path.log_density(leaf, 0.4).sum(), leaf)
        assert torch.allclose(gradient, path.marginal_score(x, 0.4), rtol=1e-10)


class Exponentials(TorchDispatchMode):
    """Counts how often a power of two is taken of a whole block."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        self.count += "exp2" in str(function)
        return function(*args, **(kwargs or {}))


def test_what_fits_in_one_block_is_evaluated_in_one_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    mixture, x = builders.random_mixture(4, 1), builders.points(64, 0)
    needed = 8 * mixture.n_components * len(x)
    for size, blocks in ((needed, 1), (needed - 1, 2)):
        monkeypatch.setattr("fmviz.theory.gaussians._BLOCK_BYTES", size)
        with Exponentials() as found:
            mixture.log_density(x)
        assert found.count == blocks, size


def test_prepare_changes_no_result() -> None:
    def make() -> ProbabilityPath:
        return ProbabilityPath(GaussianMixture.standard(), presets.get("moons"), schedulers.get("sqrt"))

    plain, prepared = make(), make()
    times = [i / 60 for i in range(61)]
    prepared.prepare(times)
    x = builders.points(20, 0).float()
    for t in (0.0, 0.5, 1.0):
        assert torch.allclose(plain.marginal_velocity(x, t), prepared.marginal_velocity(x, t), rtol=1e-6)
        assert torch.allclose(plain.log_density(x, t), prepared.log_density(x, t), rtol=1e-6)
    with pytest.raises(ParameterError, match="t: "):
        prepared.prepare([0.5, 1.5])


def test_inference_mode_leaves_nothing_behind_that_autograd_cannot_use() -> None:
    path = ProbabilityPath(GaussianMixture.standard(), presets.get("moons"), schedulers.custom("t", "sqrt(1-t)"))
    x = builders.points(5, 0).float()
    with torch.inference_mode():
        path.prepare([0.5])
        path.velocity_and_score(x, 0.5)
        path.p_data.score(x)
    leaf = x.clone().requires_grad_()
    total = (
        path.posterior_mean(leaf, 0.5).sum() + path.marginal_velocity(leaf, 0.5).sum() + path.p_data.score(leaf).sum()
    )
    (gradient,) = torch.autograd.grad(total, leaf)
    assert bool(gradient.isfinite().all())


SLICE = path_at_times.BYTES_A_SLICE + 2 * path_at_times.BYTES_A_PAIR
"""What one time of a path between one component and two is said to take."""


def test_tables_of_many_times_stay_within_the_bytes_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked at one time after another, a path forgets before it holds more bytes than stated, and answers all the same."""
    path = ProbabilityPath(GaussianMixture.standard(), presets.get("two_modes"), schedulers.get("linear"))
    monkeypatch.setattr(path_at_times, "REMEMBERED_BYTES", 8 * SLICE)
    monkeypatch.setattr(path_at_times.PathTimesCache, "_all", weakref.WeakSet([path._cache]))
    held, x = [], builders.points(3, 0)
    for k in range(30):
        path.log_density(x, k / 30)
        held.append(len(path._cache._kept))
    assert max(held) == 8
    assert held[:8] == list(range(1, 9))
    path.prepare([k / 40 for k in range(41)])
    assert len(path._cache._kept) <= 8


def test_a_path_makes_others_forget_before_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(path_at_times.PathTimesCache, "_all", weakref.WeakSet())
    first, second = (
        ProbabilityPath(GaussianMixture.standard(), presets.get("two_modes"), schedulers.get("linear")) for _ in "ab"
    )
    monkeypatch.setattr(path_at_times, "REMEMBERED_BYTES", 8 * SLICE)
    x = builders.points(3, 0)
    for k in range(5):
        first.log_density(x, k / 30)
    for k in range(5):
        second.log_density(x, k / 30)
    assert (len(first._cache._kept), len(second._cache._kept)) == (0, 5)


def test_a_slice_takes_no_more_bytes_than_it_is_said_to() -> None:
    """All tensors of the slices of one path, with the maps of velocity and score in both dtypes, each storage once."""
    times = [k / 20 for k in range(21)]

    def storages(value: object) -> dict[int, int]:
        if isinstance(value, torch.Tensor):
            return {value.untyped_storage().data_ptr(): value.untyped_storage().nbytes()}
        parts = vars(value) if hasattr(value, "__dict__") else value
        if isinstance(parts, dict):  # the parameters of the pairs are shared by all slices
            parts = [part for name, part in parts.items() if name != "pairs"]
        found: dict[int, int] = {}
        for part in parts if isinstance(parts, list | tuple) else ():
            found |= storages(part)
        return found

    for prepared in (True, False):
        path = ProbabilityPath(presets.get("ring8"), presets.get("ring8"), schedulers.get("linear"))
        if prepared:
            path.prepare(times, torch.float32)
        for t in times:
            path.velocity_and_score(torch.zeros(3000, 2), t)
        used = sum(storages(path._cache._kept).values())
        assert 0.5 < used / (21 * 64 * path_at_times.BYTES_A_PAIR) <= 1.0


GROWTH = """
import sys
import torch
from fmviz.theory import GaussianMixture, ProbabilityPath, presets, schedulers

def held():
    with open("/proc/self/smaps_rollup") as status:
        return 1024 * int(next(line for line in status if line.startswith("Private_Dirty:")).split()[1])

path = ProbabilityPath(GaussianMixture.standard(), presets.get(sys.argv[1]), schedulers.get("linear"))
x = torch.zeros(10, 2)

def use(times):
    path.prepare(times)
    for t in times:
        path.marginal_velocity(x, t)

use([k / 3000 for k in range(300)])
before = held()
use([k / 3000 for k in range(300, 2300)])
print((held() - before) / 2000)
"""


@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="Linux says how much memory a process holds")
@pytest.mark.parametrize(("preset", "components"), [("two_modes", 2), ("moons", 28)])
def test_a_process_grows_by_what_slices_are_said_to_take(preset: str, components: int) -> None:
    """The objects of a few small tensors take more than the numbers in them."""
    ran = subprocess.run([sys.executable, "-c", GROWTH, preset], capture_output=True, text=True, check=True)
    said = path_at_times.BYTES_A_SLICE + components * path_at_times.BYTES_A_PAIR
    assert 0.8 < float(ran.stdout) / said < 1.1
