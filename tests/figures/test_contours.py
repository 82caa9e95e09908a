"""Contours against what they enclose: circles whose area is known, holes, and the border."""

import numpy as np
import pytest

from fmviz.figures.contours import contours
from fmviz.figures.marks import UNSEEN, thinned

N = 81


def grid() -> tuple[np.ndarray, np.ndarray]:
    axis = np.linspace(-2.0, 2.0, N)
    return np.meshgrid(axis, axis)


def area(loop: np.ndarray) -> float:
    """Signed, positive where the loop runs against the clock with rows upwards (the shoelace formula)."""
    x, y = loop.T
    return float(0.5 * (x * np.roll(y, -1) - y * np.roll(x, -1)).sum()) * (4.0 / (N - 1)) ** 2


@pytest.mark.parametrize("radius", [0.3, 0.77, 1.9])
def test_a_circle(radius):
    x, y = grid()
    (loop,) = contours(-np.hypot(x, y), -radius)
    at = loop * 4.0 / (N - 1) - 2.0
    assert np.abs(np.hypot(*at.T) - radius).max() < 2e-3
    assert area(loop) == pytest.approx(np.pi * radius**2, rel=1e-2)


def test_a_ring_is_a_loop_and_a_hole():
    x, y = grid()
    areas = sorted(area(loop) for loop in contours(-np.abs(np.hypot(x, y) - 1.0), -0.25))
    assert areas == pytest.approx([-np.pi * 0.75**2, np.pi * 1.25**2], rel=2e-2)


def test_two_hills_part_at_their_saddle():
    x, y = grid()
    hills = np.exp(-4 * ((x - 1) ** 2 + y**2)) + np.exp(-4 * ((x + 1) ** 2 + y**2))
    saddle = 2 * np.exp(-4)
    assert len(contours(hills, saddle * 0.9)) == 1
    assert len(contours(hills, saddle * 1.1)) == 2


def test_what_reaches_the_border_is_closed_within_a_cell_of_it():
    x, _ = grid()
    (loop,) = contours(x, 0.0)
    inside = loop[(loop[:, 1] > 0.5) & (loop[:, 1] < N - 1.5)]
    assert inside[:, 0].min() == pytest.approx((N - 1) / 2)
    assert loop.min() >= -1.0
    assert loop.max() <= N
    assert contours(x, 3.0) == []
    assert len(contours(x, -3.0)) == 1, "all of it"


@pytest.mark.parametrize("seed", range(5))
def test_noise_is_enclosed_exactly(seed):
    """Even-odd, the loops enclose just the grid points above the level, checkerboards of saddles included."""
    rng = np.random.default_rng(seed)
    values = rng.choice([0.0, 1.0], size=(12, 15)) + rng.uniform(0, 0.4, size=(12, 15))
    loops = contours(values, 0.7)
    for row in range(12):
        for column in range(15):
            crossed = 0
            for loop in loops:
                (x0, y0), (x1, y1) = loop.T, np.roll(loop, -1, axis=0).T
                spans = (y0 > row + 1e-7) != (y1 > row + 1e-7)
                at = x0 + (row + 1e-7 - y0) / np.where(y1 == y0, 1.0, y1 - y0) * (x1 - x0)
                crossed += int((spans & (at > column)).sum())
            assert (crossed % 2 == 1) == (values[row, column] > 0.7), (row, column)


def test_thinning_moves_no_line_by_more_than_can_be_seen():
    t = np.linspace(0.0, 6.0, 2000)
    line = np.stack((5 * t, 3 * np.sin(t)), axis=1)
    few = thinned(line)
    assert len(few) < 200
    assert (few[0] == line[0]).all()
    assert (few[-1] == line[-1]).all()
    missed = np.abs(np.interp(line[:, 0], *few.T) - line[:, 1]).max()
    assert missed < 4 * UNSEEN
