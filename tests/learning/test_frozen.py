"""Nothing that the package passes around changes afterwards."""

import fmviz.learning
from tests.frozen import changeable, dataclasses_of


def test_dataclasses_are_frozen() -> None:
    assert len(dataclasses_of(fmviz.learning)) > 5
    assert changeable(fmviz.learning) == []
