"""Every preset is a mixture that pictures and SDEs can live with, and has the shape of its name."""

import pytest
import torch

from fmviz.errors import ParameterError
from fmviz.theory import presets
from tests.theory import builders

ALL = presets.names()


def test_the_menu() -> None:
    wanted = "two_modes three_modes ring5 ring8 grid random moons circles spiral checkerboard pinwheel smiley"
    assert tuple(wanted.split()) == ALL
    with pytest.raises(ParameterError, match="moons"):
        presets.get("moon")


@pytest.mark.parametrize("name", ALL)
def test_size_extent_and_thickness(name: str) -> None:
    for seed in range(20 if name == "random" else 1):
        mixture = presets.get(name, seed)
        assert mixture.n_components <= presets.MAX_COMPONENTS
        assert float(mixture.means.abs().max()) <= 3.5
        stds = torch.linalg.eigvalsh(mixture.covariances.double()).sqrt()
        assert float(stds.min()) >= presets.MIN_STD - 1e-6
        assert float(stds.max()) < 1.0
        assert mixture.weights.max() / mixture.weights.min() < 6
        x = mixture.sample(4000, generator=builders.seeded(0))
        assert float((x.abs().amax(-1) < 4.0).float().mean()) > 0.98


@pytest.mark.parametrize(
    ("name", "classes"),
    [
        ("two_modes", 2),
        ("ring5", 5),
        ("moons", 2),
        ("circles", 2),
        ("spiral", 2),
        ("checkerboard", 2),
        ("pinwheel", 5),
        ("smiley", 3),
    ],
)
def test_labels(name: str, classes: int) -> None:
    assert presets.get(name).labels.unique().tolist() == list(range(classes))


FINGERPRINTS = {
    "two_modes": (2.0, 0.75),
    "three_modes": (7.1, 0.976120662),
    "ring5": (-9.578171879, 0.2352),
    "ring8": (-13.740045021, 0.2352),
    "grid": (16.8, 0.2352),
    "random": (-5.189186264, 0.436868988),
    "moons": (-12.905104368, 0.160707007),
    "circles": (-32.198520682, 0.202587555),
    "spiral": (-32.840139393, 0.157950642),
    "checkerboard": (56.980644707, 0.1875),
    "pinwheel": (-34.713201341, 0.151814372),
    "smiley": (-78.474127284, 0.169008713),
}
"""Weighted sums of all means, and of all covariances."""


@pytest.mark.parametrize("name", ALL)
def test_a_preset_stays_as_it_is(name: str) -> None:
    """Links name presets, and what was shown by one must be shown again."""
    mixture = presets.get(name)
    rising = torch.linspace(1, 2, mixture.n_components, dtype=torch.float64)
    means = (mixture.means.double() * torch.stack((rising, rising.square()), dim=-1)).sum()
    covariances = (mixture.covariances.double().sum(dim=(1, 2)) * rising * mixture.weights.double()).sum()
    assert (float(means), float(covariances)) == pytest.approx(FINGERPRINTS[name], rel=1e-6)


def test_random_depends_on_its_seed_only() -> None:
    assert torch.equal(presets.get("random", 1).means, presets.get("random", 1).means)
    assert not torch.equal(presets.get("random", 1).means, presets.get("random", 2).means)


def test_shapes() -> None:
    def sample(name: str) -> tuple[torch.Tensor, torch.Tensor]:
        return presets.get(name).sample_labelled(4000, generator=builders.seeded(0))

    x, y = sample("circles")
    radius = x.norm(dim=-1)
    assert float(radius[y == 0].min()) > float(radius[y == 1].max())
    x, y = sample("moons")
    assert float(((x[:, 1] > 0) == (y == 0)).float().mean()) > 0.75
    x, _ = sample("checkerboard")
    dark = ((x / 1.6 + 2).floor().sum(-1) % 2) == 0
    assert float(dark.float().mean()) > 0.87
    ring = presets.get("ring5")
    assert torch.allclose(ring.means.norm(dim=-1), torch.full((5,), 2.8))


RECORDED = {
    "two_modes": (0.158081 + 0.000000j, 0.587053 + 0.000000j, -0.655107 + 0.000000j),
    "three_modes": (0.193063 + 0.116202j, 0.092443 - 0.302256j, -0.281226 - 0.517653j),
    "ring5": (0.144910 - 0.008119j, -0.321504 - 0.115703j, -0.115883 - 0.409184j),
    "ring8": (0.144838 - 0.000000j, -0.323145 + 0.000000j, -0.136761 + 0.000000j),
    "grid": (0.199677 + 0.000000j, -0.145575 + 0.000000j, 0.003744 + 0.000000j),
    "random": (0.394543 - 0.035325j, -0.093265 + 0.014914j, 0.152572 + 0.156382j),
    "moons": (0.522817 + 0.000000j, 0.016986 - 0.000000j, 0.001921 - 0.000000j),
    "circles": (0.301659 + 0.000002j, -0.101731 + 0.000003j, -0.042376 + 0.000003j),
    "spiral": (0.489000 - 0.000000j, 0.005553 - 0.000000j, -0.164937 - 0.000000j),
    "checkerboard": (0.256612 + 0.000000j, -0.114008 + 0.000000j, -0.069464 - 0.000000j),
    "pinwheel": (0.533209 - 0.003808j, 0.161684 - 0.007482j, -0.095788 + 0.027964j),
    "smiley": (0.253486 - 0.027977j, -0.208888 - 0.066492j, -0.055820 + 0.032448j),
}
"""E exp(i u · X) at the three u of the test below, recorded from the code: a preset is what it is by definition."""


@pytest.mark.parametrize("name", ALL)
def test_a_link_to_a_preset_keeps_its_picture(name: str) -> None:
    """The characteristic function sees every mean, covariance and weight, wherever in the plane it is."""
    mixture = presets.get(name)
    means, covariances, weights = (part.double() for part in (mixture.means, mixture.covariances, mixture.weights))
    u = torch.tensor([[0.7, 0.3], [-0.4, 1.1], [1.6, -0.9]], dtype=torch.float64)
    spread = torch.einsum("ui,kij,uj->uk", u, covariances, u)
    found = (weights * torch.exp(-0.5 * spread) * torch.exp(1j * (u @ means.T))).sum(dim=1)
    torch.testing.assert_close(found, torch.tensor(RECORDED[name], dtype=found.dtype), rtol=0, atol=3e-6)
