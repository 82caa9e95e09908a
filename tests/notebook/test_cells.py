"""Cells that run again close the players that they alone have shown."""

from __future__ import annotations

from collections.abc import Callable

import ipywidgets
import pytest

import fmviz
from fmviz.notebook import cells
from fmviz.notebook.widget import Player


class Shell:
    """What of IPython's shell is asked: whose cell runs, and to be told before one does."""

    def __init__(self) -> None:
        self.events = self
        self.calls: list[Callable[[object], None]] = []
        self.cell: str | None = None

    def register(self, event: str, call: Callable[[object], None]) -> None:
        assert event == "pre_run_cell"
        self.calls.append(call)

    def get_parent(self) -> dict[str, object]:
        return {"metadata": {"cellId": self.cell} if self.cell else {}}

    def run(self, cell: str | None, *shown: Player) -> list[dict[str, object]]:
        """Run a cell that shows players; their mime bundles."""
        self.cell = cell
        for call in self.calls:
            call(None)
        return [player._repr_mimebundle_()[0] for player in shown]


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Shell:
    made = Shell()
    monkeypatch.setattr(cells, "_shell", lambda: made)
    return made


@pytest.fixture
def player() -> Callable[[], Player]:
    return lambda: fmviz.show(fmviz.presets.get("two_modes"), particles=5)


def alive(player: Player) -> bool:
    return player.comm is not None


def test_a_cell_that_runs_again_closes_what_it_showed(shell: Shell, player: Callable[[], Player]):
    first, second, other = player(), player(), player()
    before = len(ipywidgets.Widget.widgets)
    shell.run("a", first)
    shell.run("b", other)
    assert alive(first)
    shell.run("a", second)
    assert [alive(each) for each in (first, second, other)] == [False, True, True]
    assert len(ipywidgets.Widget.widgets) == before - 2, "the player and its layout"
    assert len(shell.calls) == 1


def test_a_player_that_another_cell_shows_as_well_stays(shell: Shell, player: Callable[[], Player]):
    one = player()
    shell.run("a", one)
    shell.run("b", one)
    shell.run("a")
    assert alive(one)
    shell.run("b")
    assert not alive(one)


def test_a_closed_player_opens_anew_where_it_is_displayed(shell: Shell, player: Callable[[], Player]):
    one = player()
    (before,) = shell.run("a", one)
    one.t = 0.25
    (again,) = shell.run("a", one)
    assert alive(one)
    assert set(again) == set(before)
    assert one.t == 0.25
    assert again["application/vnd.jupyter.widget-view+json"]["model_id"] == one.model_id
    one.close()
    one.close()
    assert not alive(one)


def test_where_cells_have_no_names_nothing_is_closed(shell: Shell, player: Callable[[], Player]):
    one = player()
    shell.run(None, one)
    shell.run(None)
    assert alive(one)
    assert shell.calls == []
