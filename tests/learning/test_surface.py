"""Names and defaults of the library change on purpose only: notebooks and saved runs rely on them."""

import fmviz.learning
from tests.surface import changes


def test_the_public_surface_is_the_one_written_down() -> None:
    assert not (found := changes(fmviz.learning)), found
