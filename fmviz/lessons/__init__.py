"""The lessons, one folder each, and the list of them.

Start reading in `fmviz/lessons/start`, the smallest. A lesson holds everything of its own: `settings` (what a user can
choose), `compute` (what it shows and measures), `charts`, `script` (the program under "In code"), `page`, its texts and
its formulas. Lessons do not know each other, and the app knows them only through `LESSONS`: their modules are imported
when they are first used.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from fmviz.home import HOME

if TYPE_CHECKING:
    from pydantic import BaseModel

__all__ = ["LESSONS", "READING", "Lesson", "named", "show"]


@dataclass(frozen=True)
class Lesson:
    """One page of the app.

    Attributes:
        name: its folder, its page file, its part of the state and its table in the texts.
        address: of the page.
        icon: beside its name in the navigation.
    """

    name: str
    address: str
    icon: str

    @property
    def file(self) -> Path:
        """Its file in ``pages/``."""
        return HOME / "pages" / f"{self.name}.py"

    @property
    def folder(self) -> Path:
        """Where its texts and formulas are."""
        return Path(__file__).parent / self.name

    def page(self) -> ModuleType:
        """The module with the function ``show`` that draws the page."""
        return import_module(f"{__name__}.{self.name}.page")

    def settings(self) -> type[BaseModel] | None:
        """The model of what a user can choose on the page, the ``Settings`` of its module ``settings``; None without one."""
        module = f"{__name__}.{self.name}.settings"
        if find_spec(module) is None:
            return None
        model: type[BaseModel] = import_module(module).Settings
        return model


LESSONS = (
    Lesson("start", "home", ":material/play_circle:"),
    Lesson("flows", "flows", ":material/air:"),
    Lesson("noise", "noise", ":material/scatter_plot:"),
    Lesson("paths", "probability-paths", ":material/route:"),
    Lesson("conservation", "conservation", ":material/balance:"),
    Lesson("train", "train", ":material/model_training:"),
    Lesson("hyperparameters", "hyperparameters", ":material/tune:"),
    Lesson("sample", "sample", ":material/grain:"),
    Lesson("guidance", "guidance", ":material/near_me:"),
    Lesson("bridges", "bridges", ":material/compare_arrows:"),
    Lesson("dictionary", "dictionary", ":material/translate:"),
    Lesson("theory", "theory", ":material/menu_book:"),
)
"""In the order in which one takes them; the first is the page that the app opens with."""


READING = LESSONS[-1]
"""Where the laws that the lessons name can be read."""


def named(name: str) -> Lesson:
    """The lesson of this name.

    Raises:
        KeyError: there is none.
    """
    for lesson in LESSONS:
        if lesson.name == name:
            return lesson
    raise KeyError(name)


def show(name: str) -> None:
    """Draws the page of the lesson `name`, inside the frame of the app.

    Streamlit runs a file of ``pages/`` through the navigation, or by itself where it takes the folder for its own kind of
    pages (AppTest does); then the frame comes first, and leads back here.
    """
    shell = import_module("fmviz.app.shell")
    if shell.framed():
        import_module(f"{__name__}.{name}.page").show()
    else:
        shell.run()
