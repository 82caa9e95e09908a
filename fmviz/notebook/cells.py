"""Which cells show which players, so that a cell that runs again closes those that it alone has shown.

The front end throws the output of such a cell away, but the widget would stay alive in the kernel and in the page, with everything it holds,
as nobody can tell that it will not be displayed again. A player that is, opens anew.
"""

from __future__ import annotations

__all__ = ["Cells"]

from collections import defaultdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fmviz.notebook.widget import Player


class Cells:
    """The players of each cell of the notebook that is running, by the cell's id."""

    def __init__(self) -> None:
        self._shown: defaultdict[str, list[Player]] = defaultdict(list)
        self._shell: Any = None

    def displayed(self, player: Player) -> None:
        """Remember that the running cell shows a player; outside a notebook that names its cells this does nothing."""
        shell = _shell()
        cell = _cell(shell)
        if cell is None:
            return
        if shell is not self._shell:
            shell.events.register("pre_run_cell", self._begin)
            self._shell = shell
        if all(player is not other for other in self._shown[cell]):
            self._shown[cell].append(player)

    def _begin(self, _info: object = None) -> None:
        """A cell is about to run: what it showed before is gone."""
        gone = self._shown.pop(_cell(self._shell) or "", [])
        kept = {id(player) for players in self._shown.values() for player in players}
        for player in gone:
            if id(player) not in kept:
                player.close()


def _shell() -> Any:
    from IPython.core.getipython import get_ipython

    return get_ipython()


def _cell(shell: Any) -> str | None:
    """The id of the cell that runs, as the front end names it; None if it does not, or none runs."""
    parent = shell.get_parent() if hasattr(shell, "get_parent") else {}
    cell = parent.get("metadata", {}).get("cellId")
    return cell if isinstance(cell, str) else None
