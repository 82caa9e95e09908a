"""A run is given up by enormous losses in a row, and at once by one that is no number."""

from __future__ import annotations

import math

import pytest

from fmviz.learning.divergence import EXPLODED, PATIENCE, LossWatch


@pytest.fixture
def watch() -> LossWatch:
    watch = LossWatch()
    watch.reference = 2.0
    return watch


HIGH, LOW = 2.0 * EXPLODED * 1.001, 2.0 * EXPLODED


def test_enormous_losses_in_a_row_are_the_end(watch: LossWatch) -> None:
    assert watch.given_up_at([LOW, *[HIGH] * (PATIENCE + 2)]) == PATIENCE


def test_one_that_is_lower_begins_the_row_anew(watch: LossWatch) -> None:
    almost = [HIGH] * (PATIENCE - 1)
    assert watch.given_up_at([*almost, LOW] * 3) is None
    assert watch.high == 0
    assert watch.given_up_at(almost) is None
    assert watch.high == PATIENCE - 1


def test_a_row_goes_on_from_one_look_to_the_next(watch: LossWatch) -> None:
    assert watch.given_up_at([HIGH] * (PATIENCE - 1)) is None
    assert watch.given_up_at([HIGH]) == 0


@pytest.mark.parametrize("loss", [math.nan, math.inf, -math.inf])
def test_a_loss_that_is_no_number_is_the_end(watch: LossWatch, loss: float) -> None:
    assert watch.given_up_at([LOW, loss, LOW]) == 1


def test_before_the_loss_of_predicting_zero_is_known_only_numbers_count() -> None:
    watch = LossWatch()
    assert watch.given_up_at([1e30] * 2 * PATIENCE) is None
    assert watch.given_up_at([math.nan]) == 0
