"""The scales of a picture: where they are looked for, and how many places are looked at."""

import pytest
import torch
from torch import Tensor

from fmviz.clips import scales
from fmviz.clips.clip import Extent
from fmviz.theory import GaussianMixture, ProbabilityPath, schedulers


def row(components: int, spacing: float = 0.1, std: float = 1.0) -> GaussianMixture:
    """Components in a row along x, the last far narrower than the others."""
    means = torch.stack((spacing * torch.arange(components), torch.zeros(components)), dim=-1)
    stds = torch.full((components,), std)
    stds[-1] = 0.2
    return GaussianMixture(means, stds[:, None, None].square() * torch.eye(2), torch.ones(components))


def linear(init: GaussianMixture, data: GaussianMixture) -> ProbabilityPath:
    return ProbabilityPath(init, data, schedulers.get("linear"))


@pytest.mark.parametrize(
    ("init", "data", "times", "centres"),
    [(1, 64, 61, 64), (1, 65, 16, 65), (3, 64, 16, 192), (1, 193, 16, 97), (6, 64, 16, 192), (7, 64, 16, 150)],
)
def test_many_pairs_are_looked_at_at_fewer_times_and_places(
    init: int, data: int, times: int, centres: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Up to 64 pairs at every frame, else at 16 times; up to 192 centres all, else every second, every third, ..."""
    seen: list[tuple[int, ...]] = []

    def recorded(path: ProbabilityPath, x: Tensor, t: Tensor) -> Tensor:
        seen.append((len(t), x.shape[1]))
        return x[..., 0]

    monkeypatch.setattr(ProbabilityPath, "log_density", recorded)
    scales.density_top(linear(row(init), row(data)), 61)
    assert seen == [(times, centres)]


def test_the_conditional_top_is_that_of_the_highest_component() -> None:
    """Of two far apart in the source the narrow one: at t = 3/5 of the linear path its density is N(0; 0.4² 0.2²) / 2."""
    path = linear(row(2, spacing=50.0), GaussianMixture.standard())
    peak = 0.5 / (2 * torch.pi * (0.4 * 0.2) ** 2)
    assert scales.conditional_top(path, (0.3, -0.2)) == pytest.approx(torch.tensor(peak).log().item(), rel=1e-5)


def test_cells_lie_row_by_row_from_the_lowest_y() -> None:
    found = scales.cell_centres(Extent(0.0, 3.0, -4.0, 2.0), 3)
    assert found.tolist() == [[x, y] for y in (-3.0, -1.0, 1.0) for x in (0.5, 1.5, 2.5)]


@pytest.mark.parametrize("length", [1e-3, 0.5, 40.0])
def test_arrows_of_one_length_fill_nine_tenths_of_their_cell(length: float) -> None:
    vectors = length * torch.tensor([[0.6, 0.8]]).repeat(9, 1)
    found = scales.arrow_scale(vectors, Extent(-2.0, 4.0, 0.0, 6.0), 3)
    assert found * length == pytest.approx(0.9 * 2.0, rel=1e-5)
