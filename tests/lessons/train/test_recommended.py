"""The recommended settings on the page Train."""

import pytest

from fmviz.app.choices import State
from fmviz.app.state import STATE
from fmviz.learning import recommended
from fmviz.learning.recommendation import GOALS
from fmviz.lessons.train.page import bar
from fmviz.lessons.train.settings import Settings
from fmviz.lessons.train.spec import train_spec


@pytest.mark.parametrize("goal", GOALS)
def test_the_preset_of_the_page_is_the_recommendation_of_the_library(
    goal: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = State(train=Settings(width=8, depth=1, optimizer="sgd", objective="noise", gradient_clip=1.0))
    monkeypatch.setattr(bar.state.st, "session_state", {STATE: now})
    bar._recommend(goal)
    chosen = bar.state.current()
    assert chosen.train.objective == "noise"
    changed = chosen.train.model_copy(update={"objective": "cfm"})
    assert train_spec(chosen.scene, changed) == recommended(chosen.scene.seed_network, goal)
