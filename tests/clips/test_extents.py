"""The square that a picture shows: the smallest of six around 2.5 standard deviations of all components."""

import pytest

from fmviz.clips.extents import extent
from fmviz.scene import Component, Scene


def half_width(*components: Component) -> float:
    found = extent(Scene().with_mixture("data", components))
    assert (found.x0, found.y0, found.y1) == (-found.x1, -found.x1, found.x1)
    return found.x1


@pytest.mark.parametrize(
    ("x", "expected"),
    # a standard deviation of 0.8 reaches 2.0 beyond the mean
    [
        (0.9, 3.0),
        (1.1, 4.5),
        (-2.4, 4.5),
        (-2.6, 6.0),
        (3.9, 6.0),
        (4.1, 9.0),
        (6.9, 9.0),
        (7.1, 13.0),
        (10.9, 13.0),
        (11.1, 20.0),
        (17.9, 20.0),
        (19.0, 20.0),
    ],
)
def test_the_smallest_square_that_holds_the_component(x: float, expected: float) -> None:
    assert half_width(Component(x=x, y=0.0, xx=0.64, yy=0.09)) == expected
    assert half_width(Component(x=0.0, y=-x, xx=0.09, yy=0.64)) == expected
    assert half_width(Component(x=0.0, y=0.0), Component(x=x, y=0.0, xx=0.64, xy=0.1, yy=0.09)) == expected


def test_the_source_is_shown_too() -> None:
    """The standard Gaussian reaches 2.5; a source far out widens the view of data near the origin."""
    near = Scene().with_mixture("data", (Component(x=0.0, y=0.0),))
    assert extent(near).x1 == 3.0
    assert extent(near.with_mixture("init", (Component(x=5.0, y=0.0),))).x1 == 6.0
