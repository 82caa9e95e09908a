"""Nothing that the package passes around changes afterwards."""

import fmviz.theory
from tests.frozen import changeable, dataclasses_of


def test_dataclasses_are_frozen() -> None:
    assert len(dataclasses_of(fmviz.theory)) > 5
    assert changeable(fmviz.theory) == []
