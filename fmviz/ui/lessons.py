"""The lessons: what they are called, where they lie, and the order in which one takes them."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["LESSONS", "Lesson"]


@dataclass(frozen=True)
class Lesson:
    """One page.

    Attributes:
        name: its section in the locale files.
        file: below the root of the project.
        address: of the page; not the file's name, or Streamlit's own idea of pages/ would find it (AppTest asks it first).
        icon: beside its name in the navigation.
    """

    name: str
    file: str
    address: str
    icon: str


LESSONS = (
    Lesson("start", "pages/start.py", "home", ":material/play_circle:"),
    Lesson("flows", "pages/flows_lesson.py", "flows", ":material/air:"),
    Lesson("noise", "pages/noise_lesson.py", "noise", ":material/scatter_plot:"),
    Lesson("paths", "pages/probability_paths.py", "probability-paths", ":material/route:"),
    Lesson("conservation", "pages/conservation_laws.py", "conservation", ":material/balance:"),
    Lesson("train", "pages/train_live.py", "train", ":material/model_training:"),
    Lesson("sample", "pages/sample_fields.py", "sample", ":material/grain:"),
)
"""The first is the page that the app opens with."""
