"""The exact theory: mixtures, schedulers, diffusion coefficients, probability paths, dynamics. Pure torch.

Start reading in `mixture` and `path`; the formulas are those of docs/theory.md, under the same numbers.
"""

from fmviz.theory import presets, schedulers, sigmas
from fmviz.theory.mixture import GaussianMixture
from fmviz.theory.path import ProbabilityPath

__all__ = ["GaussianMixture", "ProbabilityPath", "presets", "schedulers", "sigmas"]
