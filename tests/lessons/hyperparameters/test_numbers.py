"""Errors of cells, effects of axes, and the table: against numpy and cases worked out by hand."""

import math

import numpy as np
import pytest

from fmviz.errors import FmvizError
from fmviz.lessons.hyperparameters.compute import numbers
from fmviz.lessons.hyperparameters.compute.plan import plan
from fmviz.lessons.hyperparameters.compute.running import Result
from fmviz.lessons.hyperparameters.settings import Settings
from fmviz.scene import Scene

VIEW = Settings(x="width", x_values=("4", "8"), y="steps", y_values=("10", "20"), seeds=2)


def ended(*errors: float, failure: Exception | None = None) -> Result:
    return Result(20, tuple(enumerate(errors)), None, True, failure)


def test_the_error_of_a_cell_is_the_geometric_mean_over_its_seeds():
    asked = plan(Scene(), VIEW)
    jobs = asked.cells[0].jobs
    found = numbers.score(asked.cells[0], {jobs[0]: ended(1.0, 0.02), jobs[1]: ended(1.0, 0.08)})
    assert found.error == pytest.approx(0.04)
    assert (found.low, found.high) == (0.02, 0.08)


def test_a_cell_has_no_error_before_all_its_seeds_have_and_none_once_one_has_diverged():
    asked = plan(Scene(), VIEW)
    jobs = asked.cells[0].jobs
    assert math.isnan(numbers.score(asked.cells[0], {jobs[0]: ended(0.1)}).error)
    assert math.isnan(numbers.score(asked.cells[0], {}).error)
    broken = numbers.score(asked.cells[0], {jobs[0]: ended(0.1), jobs[1]: ended(0.1, failure=FmvizError("no"))})
    assert math.isinf(broken.error)
    assert broken.diverged == 1


def test_the_map_has_the_cells_at_their_places_and_the_best_is_found():
    asked = plan(Scene(), VIEW)
    results = {job: ended(0.1 * (1 + cell.column + 2 * cell.row)) for cell in asked.cells for job in cell.jobs}
    scores = numbers.scores(asked, results)
    np.testing.assert_allclose(numbers.values(asked, scores), [[0.1, 0.2], [0.3, 0.4]], rtol=1e-6)
    assert numbers.best(asked, scores) == 0
    assert numbers.best(asked, numbers.scores(asked, {})) is None


def test_the_effect_of_an_axis_is_that_of_its_own_factor():
    """A map that is a product has the factors that it was made from, whatever the other axis does."""
    a, b = np.array([1.0, 4.0, 2.0]), np.array([0.01, 0.3])
    errors = (b[:, None] * a).astype(np.float32)
    along_x, along_y = numbers.effect(errors, 0, ("p", "q", "r")), numbers.effect(errors, 1, ("low", "high"))
    assert along_x is not None
    assert along_y is not None
    assert along_x.factor == pytest.approx(4.0, rel=1e-6)
    assert along_x.best == "p"
    assert along_y.factor == pytest.approx(30.0, rel=1e-6)
    assert along_y.best == "low"


def test_places_where_a_value_has_diverged_do_not_decide():
    errors = np.array([[0.1, 0.2], [0.001, np.inf]], np.float32)
    found = numbers.effect(errors, 0, ("p", "q"))
    assert found is not None
    assert found.factor == pytest.approx(2.0, rel=1e-6)
    lost = np.array([[0.1, np.inf], [np.nan, 0.4]], np.float32)
    found = numbers.effect(lost, 0, ("p", "q"))
    assert found is not None
    assert found.factor == pytest.approx(4.0, rel=1e-6)
    assert numbers.effect(np.array([[0.1, np.inf]], np.float32), 0, ("p", "q")) is None


def test_the_spread_of_the_seeds_is_a_median_over_cells():
    scores = tuple(numbers.Score(1.0, 1.0, high, 1, 0) for high in (1.5, 9.0, 2.0))
    assert numbers.seed_spread(scores) == 2.0
    assert numbers.seed_spread((numbers.Score(math.inf, math.inf, math.inf, 1, 1),)) is None


def test_a_track_ends_where_the_shortest_of_the_seeds_does():
    cell = plan(Scene(), VIEW).cells[0]
    first, second = cell.jobs
    points = numbers.track(cell, {first: ended(1.0, 0.4, 0.1), second: ended(1.0, 0.1)})
    assert [point[0] for point in points] == [0, 1]
    assert points[1][1:] == pytest.approx((0.1, 0.2, 0.4))
    assert numbers.track(cell, {}) == ()


def test_the_steps_to_an_error_are_those_of_the_first_measurement_below_it():
    points = ((0, 1.0, 1.0, 1.0), (5, 0.1, 0.2, 0.4), (9, 0.1, 0.1, 0.1), (12, 0.1, 0.3, 0.5))
    assert [numbers.reached(points, goal) for goal in (1.0, 0.25, 0.1, 0.05)] == [0, 5, 9, None]


@pytest.mark.parametrize(("row", "wanted"), [([0.3, 0.1, np.inf], 1), ([np.nan, np.inf, np.nan], None)])
def test_the_best_of_a_row(row, wanted):
    assert numbers.best_column(np.array(row, np.float32)) == wanted
