"""Names, defaults and limits of the package change on purpose only: lessons and saved pictures rely on them."""

import fmviz.clips
from tests.surface import changes


def test_the_public_surface_is_the_one_written_down() -> None:
    assert not (found := changes(fmviz.clips)), found
