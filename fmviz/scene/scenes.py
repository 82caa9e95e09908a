"""From a Scene, which is what a user chose, to the path and the noise it stands for."""

from __future__ import annotations

from functools import lru_cache

import torch

from fmviz.scene.components import Component
from fmviz.scene.scene import MixtureName, Scene
from fmviz.theory import GaussianMixture, ProbabilityPath, presets, schedulers, sigmas
from fmviz.theory.schedulers import Scheduler
from fmviz.theory.sigmas import Sigma

__all__ = ["at_default", "components", "learned_part", "mixture", "path", "scheduler", "sigma", "without_sigma"]


@lru_cache(maxsize=256)
def mixture(scene: Scene, which: MixtureName) -> GaussianMixture:
    """p_data ("data") or p_init ("init") of `scene` in float32.

    Labels are those of the components, or of the preset; see `Component`.
    """
    edited = scene.data_components if which == "data" else scene.init_components
    if edited is not None:
        rows = torch.tensor([c.row() for c in edited], dtype=torch.float64)
        covariances = rows[:, [3, 4, 4, 5]].reshape(-1, 2, 2)
        return GaussianMixture(rows[:, 1:3], covariances, rows[:, 0], _labels(scene, which, edited)).to(torch.float32)
    return _preset(scene, which)


def _preset(scene: Scene, which: MixtureName) -> GaussianMixture:
    name = scene.data if which == "data" else scene.init
    built = GaussianMixture.standard() if name == "gaussian" else presets.get(name, seed=scene.seed_data)
    return built.to(torch.float32)


def _labels(scene: Scene, which: MixtureName, edited: tuple[Component, ...]) -> torch.Tensor:
    """The class of each edited component, (K,)."""
    of_preset = _preset(scene, which).labels.tolist()
    fallback = of_preset if len(of_preset) == len(edited) else range(len(edited))
    return torch.tensor([k if c.label is None else c.label for c, k in zip(edited, fallback, strict=True)])


def components(scene: Scene, which: MixtureName) -> tuple[Component, ...]:
    """The components of a mixture in the form in which they are edited and linked; those of p_data with their labels."""
    edited = scene.data_components if which == "data" else scene.init_components
    m = mixture(scene, which)
    labels = m.labels.tolist() if which == "data" else [None] * m.n_components
    if edited is not None:
        return tuple(c.model_copy(update={"label": label}) for c, label in zip(edited, labels, strict=True))
    return tuple(
        Component(weight=w, x=mean[0], y=mean[1], xx=cov[0][0], xy=cov[0][1], yy=cov[1][1], label=label)
        for w, mean, cov, label in zip(
            m.weights.tolist(), m.means.tolist(), m.covariances.tolist(), labels, strict=True
        )
    )


@lru_cache(maxsize=64)
def _scheduler(name: str, exponent: float, alpha: str, beta: str) -> Scheduler:
    if name == "custom":
        return schedulers.custom(alpha, beta)
    if name == "polynomial":
        return schedulers.get(name, exponent=exponent)
    return schedulers.get(name)


def scheduler(scene: Scene) -> Scheduler:
    """The noise scheduler of `scene`. Raises ScheduleError for a custom one that cannot be used."""
    return _scheduler(scene.scheduler, scene.exponent, scene.alpha, scene.beta)


@lru_cache(maxsize=64)
def path(scene: Scene) -> ProbabilityPath:
    """The probability path from p_init to p_data of `scene` (float32)."""
    return ProbabilityPath(mixture(scene, "init"), mixture(scene, "data"), scheduler(scene))


def sigma(scene: Scene) -> Sigma:
    """The diffusion coefficient sigma_t of `scene`."""
    return sigmas.get(scene.sigma, amplitude=scene.amplitude, scheduler=scheduler(scene))


def at_default(scene: Scene, *names: str) -> Scene:
    """`scene` with some of its fields as they are in a new one."""
    plain = Scene()
    return scene.model_copy(update={name: getattr(plain, name) for name in names})


def without_sigma(scene: Scene) -> Scene:
    """`scene` with what only an SDE and a network see at its default: sigma_t and the network's seed."""
    return at_default(scene, "seed_network", "sigma", "amplitude")


def learned_part(scene: Scene) -> Scene:
    """`scene` with everything that no network sees at its default: particles, their seeds, sigma_t."""
    return at_default(without_sigma(scene), "count", "seed_start", "seed_noise")
