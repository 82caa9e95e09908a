"""The page Conservation in a link: everything comes back, and no box is turned inside out."""

import pytest
from pydantic import ValidationError

from fmviz.app.choices import State, decode, encode
from fmviz.lessons.conservation.settings import BREAKS, KINDS, LAWS, LEAST_SIDE
from fmviz.lessons.conservation.settings import Settings as ConservationSettings


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("broken", BREAKS)
def test_a_link_repeats_every_choice(kind, law, broken):
    view = ConservationSettings(
        kind=kind, law=law, broken=broken, z=(1.5, -2), box=(-1, 0.25, -3, 4), norm="max", layers=("box",), sheet=True
    )
    assert decode(encode(State(conservation=view))) == (State(conservation=view), ())


def test_defaults_are_not_written():
    assert encode(State()) == {}


@pytest.mark.parametrize(
    "sides", ["1_0_0_1", "0_1_1_0", f"0_{LEAST_SIDE / 2}_0_1", "0_1_0", "0_1_0_nan", "0_99_0_1", "a_b_c_d"]
)
def test_a_malformed_box_is_reported(sides):
    state, problems = decode({"box": sides})
    assert state == State()
    assert problems == ("box",)


def test_a_box_inside_out_is_refused():
    with pytest.raises(ValidationError, match="sides of at least"):
        ConservationSettings(box=(1, 0, 0, 1))
