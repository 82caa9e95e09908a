"""The page Flows in a link, and as a script that runs in a fresh process and says what the library says."""

import pytest
import torch

from fmviz.app.choices import State, decode, encode
from fmviz.lessons.flows.script import flows_script
from fmviz.lessons.flows.settings import FLOWS, MAX_STARTS, RATES, STARTS
from fmviz.lessons.flows.settings import Settings as FlowsSettings
from fmviz.scene import Scene
from fmviz.theory.flows import ANALYTIC, analytic, exact_flow


@pytest.mark.parametrize("field", FLOWS)
def test_a_link_carries_everything(field):
    rate = RATES[field].high if field in RATES else None
    view = FlowsSettings(
        field=field, rate=rate, solvers=("rk4", "euler"), steps=7, starts=((1.23456, -2.0),), beside="conditional"
    )
    assert view.solvers == ("euler", "rk4")
    assert decode(encode(State(flows=view))) == (State(flows=view), ())
    assert decode(encode(State(flows=FlowsSettings(solvers=(), starts=()))))[0].flows == FlowsSettings(
        solvers=(), starts=()
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("flow", "whirl"),
        ("rate", "99"),
        ("rate", "nan"),
        ("solvers", "euler.dopri5"),
        ("nsteps", "0"),
        ("nsteps", "201"),
        ("starts", "1_2_3"),
        ("starts", "1_nan"),
        ("starts", "~".join(["1_1"] * (MAX_STARTS + 1))),
        ("beside", "nothing"),
        ("flayers", "mesh.nonsense"),
    ],
)
def test_nonsense_is_named_and_the_rest_stands(name, value):
    other = {"nsteps": "9"} if name != "nsteps" else {"beside": "conditional"}
    found, problems = decode({name: value, **other})
    assert problems == (name,)
    assert encode(found) == other


def test_a_rate_must_suit_its_field():
    assert decode({"flow": "saddle", "rate": "3"})[1] == ("rate",)
    assert decode({"flow": "marginal", "rate": "1"})[1] == ("rate",)
    assert decode({"flow": "linear", "rate": "3"})[0].flows.chosen_rate == 3.0
    assert set(RATES) == set(ANALYTIC)
    assert all(known.low <= known.default <= known.high for known in RATES.values())


@pytest.mark.parametrize("field", ["vortex", "marginal"])
def test_the_script_runs_and_agrees(field, fresh):
    code = flows_script(Scene(data="two_modes"), FlowsSettings(field=field, solvers=("rk4",), steps=40, starts=()))
    lines = fresh.printed(code).splitlines()
    if field == "vortex":
        end = exact_flow(
            analytic("vortex", RATES["vortex"].default), torch.tensor(STARTS, dtype=torch.float64), (0.0, 1.0)
        )[-1]
        assert lines[0] == f"exact flow at t = 1 {end.tolist()}"
    assert float(lines[1].split()[-1]) < 1e-3
    orders = [line.split() for line in lines if " order " in line]
    assert [float(words[2]) for words in orders] == pytest.approx([float(words[4]) for words in orders], abs=0.2)
