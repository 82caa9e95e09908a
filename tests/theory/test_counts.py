"""Counts: whole numbers within their bounds, and nothing else."""

from collections.abc import Callable

import numpy as np
import pytest
import torch

from fmviz.errors import ParameterError
from fmviz.learning import TrainSpec, train
from fmviz.theory import GaussianMixture, ProbabilityPath, dialects, metrics, presets, schedulers
from fmviz.theory.counts import as_count
from fmviz.theory.couplings import straightness
from fmviz.theory.guidance import Guidance, simulate_weighted
from fmviz.theory.processes import brownian_motion
from fmviz.theory.solvers import solve_ode, solve_sde
from fmviz.theory.time_grids import time_grid

PATH = ProbabilityPath(GaussianMixture.standard(), presets.get("two_modes"), schedulers.get("linear"))
X = torch.zeros(2, 2)
COUNTED: dict[str, tuple[str, Callable[[object], object]]] = {
    "sample": ("n", PATH.p_data.sample),
    "sample_labelled": ("n", PATH.p_data.sample_labelled),
    "path.sample": ("n", lambda n: PATH.sample(n, 0.5)),
    "pairs": ("n", PATH.sample_pairs),
    "posterior": ("n", lambda n: PATH.sample_posterior(X, 0.5, n)),
    "tilted": ("n", Guidance(PATH, 1, 2.0).sample_tilted),
    "weighted": ("steps", lambda n: simulate_weighted(Guidance(PATH, 1, 2.0), X, n)),
    "ODE": ("steps", lambda n: solve_ode(PATH.marginal_velocity, X, n)),
    "SDE": ("steps", lambda n: solve_sde(lambda x, t: -x, lambda t: 1.0, X, n)),
    "grid": ("steps", lambda n: time_grid("uniform", n)),
    "straightness": ("steps", lambda n: straightness(PATH.marginal_velocity, X, steps=n)),
    "directions": ("directions", lambda n: metrics.sliced_wasserstein(X, X, directions=n)),
    "levels": ("levels", lambda n: brownian_motion(n, (2,), generator=torch.Generator(), dtype=torch.float32)),
    "ddpm": ("steps", lambda n: dialects.get("ddpm", steps=n)),
    "every": ("every", lambda n: train(PATH, TrainSpec(steps=1), every=n)),
}


@pytest.mark.parametrize("wrong", [2.5, 2.0, (3, 4), True, -1, "3", None, np.bool_(True), torch.tensor(2.5), [3]])
@pytest.mark.parametrize("name", COUNTED)
def test_what_is_no_count_is_named(name, wrong):
    parameter, call = COUNTED[name]
    with pytest.raises(ParameterError, match=f"^{parameter}: expected a count .*, got ") as found:
        call(wrong)
    assert found.value.key == "count"


@pytest.mark.parametrize("name", COUNTED)
def test_integers_of_numpy_and_torch_are_counts(name):
    _, call = COUNTED[name]
    for right in (3, np.int64(3), np.uint8(3), torch.tensor(3)):
        call(right)


def test_bounds():
    assert as_count("n", 3, 3, 3) == 3
    assert type(as_count("n", np.int64(3))) is int
    assert [as_count("n", np.int64(n), 3, 5) for n in (3, 5)] == [3, 5]
    for wrong in (2, 5, 10**30):
        with pytest.raises(ParameterError, match="from 3 to 4"):
            as_count("n", wrong, 3, 4)
