"""The exact theory: mixtures, schedulers, diffusion coefficients, probability paths, dynamics. Pure torch."""

from fmviz.theory import presets, schedulers, sigmas
from fmviz.theory.mixture import GaussianMixture
from fmviz.theory.path import ProbabilityPath

__all__ = ["GaussianMixture", "ProbabilityPath", "presets", "schedulers", "sigmas"]
