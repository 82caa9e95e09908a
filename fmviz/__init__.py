"""fmviz: flow matching and diffusion in two dimensions, exact, learned and moving.

The names of a first notebook stand here at the front door; each is imported when it is first used. The exact theory is in
`fmviz.theory`, training in `fmviz.learning`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from fmviz.errors import FmvizError

if TYPE_CHECKING:
    from fmviz.comparison import compare
    from fmviz.figures.figure import figure
    from fmviz.learning import TrainSpec, sweep, train
    from fmviz.notebook import show, watch
    from fmviz.theory import GaussianMixture, ProbabilityPath, presets, schedulers, sigmas
    from fmviz.theory.guidance import Guidance
    from fmviz.theory.solvers import solve_ode, solve_sde

__all__ = [
    "FmvizError",
    "GaussianMixture",
    "Guidance",
    "ProbabilityPath",
    "TrainSpec",
    "__version__",
    "compare",
    "figure",
    "presets",
    "schedulers",
    "show",
    "sigmas",
    "solve_ode",
    "solve_sde",
    "sweep",
    "train",
    "watch",
]

__version__ = "0.1.0"

_HOMES = {
    "GaussianMixture": "fmviz.theory",
    "Guidance": "fmviz.theory.guidance",
    "ProbabilityPath": "fmviz.theory",
    "TrainSpec": "fmviz.learning",
    "compare": "fmviz.comparison",
    "figure": "fmviz.figures.figure",
    "presets": "fmviz.theory",
    "schedulers": "fmviz.theory",
    "show": "fmviz.notebook",
    "sigmas": "fmviz.theory",
    "solve_ode": "fmviz.theory.solvers",
    "solve_sde": "fmviz.theory.solvers",
    "sweep": "fmviz.learning",
    "train": "fmviz.learning",
    "watch": "fmviz.notebook",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
