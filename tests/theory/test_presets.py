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
        ("checkerboard", 8),
        ("pinwheel", 5),
        ("smiley", 3),
    ],
)
def test_labels(name: str, classes: int) -> None:
    assert presets.get(name).labels.unique().tolist() == list(range(classes))


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
