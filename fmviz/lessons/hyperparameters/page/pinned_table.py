"""The settings of the pinned runs as a table, in which those that differ are bold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fmviz.app.catalogue import number
from fmviz.app.i18n import tr
from fmviz.lessons.hyperparameters.compute.pins import LETTERS, Pin
from fmviz.lessons.hyperparameters.compute.plan import Job
from fmviz.lessons.hyperparameters.page import words
from fmviz.lessons.hyperparameters.settings import AXES
from fmviz.scene import Scene

__all__ = ["Row", "columns", "rows"]

MORE = ("warm_up", "scaling", "gradient_clip", "score_weighting")
"""Settings of the page Train that no axis has; they are listed where they differ."""
NAMED = ("scaling", "score_weighting")
MIXTURES: dict[str, Callable[[Scene], object]] = {
    "data": lambda scene: (scene.data, scene.data_components, scene.seed_data),
    "init": lambda scene: (scene.init, scene.init_components),
}
"""What makes the mixtures what they are: edited by hand, they have one name."""


@dataclass(frozen=True)
class Row:
    """One setting: its name, the value of each run as a reader is told it, and whether they differ."""

    label: str
    texts: tuple[str, ...]
    differs: bool


def columns(found: Sequence[Row]) -> dict[str, list[str]]:
    """The rows as a table in Markdown, a column for each run."""

    def bold(row: Row, text: str) -> str:
        return f"**{text}**" if row.differs else text

    runs = len(found[0].texts)
    return {tr("hyperparameters.side.setting"): [bold(row, row.label) for row in found]} | {
        letter: [bold(row, row.texts[place]) for row in found] for place, letter in enumerate(LETTERS[:runs])
    }


def rows(kept: Sequence[Pin]) -> list[Row]:
    """The settings of at least one run: those that can vary on this page, and others where they differ."""
    jobs = [pin.job for pin in kept]
    laws = [
        Row(
            tr(f"hyperparameters.side.{name}"),
            tuple(_mixture(name, scene) for scene, _ in jobs),
            len({made(scene) for scene, _ in jobs}) > 1,
        )
        for name, made in MIXTURES.items()
    ]
    always = [_row(words.axis_name(name), tuple(_axis_value(name, job) for job in jobs)) for name in AXES]
    more = [_row(tr(f"train.setting.{name}"), tuple(_more_value(name, job) for job in jobs)) for name in MORE]
    return [*(row for row in laws if row.differs), *always, *(row for row in more if row.differs)]


def _row(label: str, texts: tuple[str, ...]) -> Row:
    return Row(label, texts, len(set(texts)) > 1)


def _mixture(which: str, scene: Scene) -> str:
    edited = scene.data_components if which == "data" else scene.init_components
    name = scene.data if which == "data" else scene.init
    return tr(f"preset.{name}") if edited is None else tr("scene.edited")


def _axis_value(name: str, job: Job) -> str:
    scene, spec = job
    match name:
        case "width":
            return str(spec.hidden[0])
        case "depth":
            return str(len(spec.hidden))
        case "scheduler":
            return _scheduler(scene)
    value = getattr(spec, name)
    return f"{value:g}" if isinstance(value, float) else words.value_name(name, str(value))


def _scheduler(scene: Scene) -> str:
    """The scheduler, with what makes it the one it is."""
    match scene.scheduler:
        case "custom":
            return ", ".join(f"`{text.replace('`', '')}`" for text in (scene.alpha, scene.beta))
        case "polynomial":
            return f"{words.value_name('scheduler', scene.scheduler)} ({scene.exponent:g})"
    return words.value_name("scheduler", scene.scheduler)


def _more_value(name: str, job: Job) -> str:
    value = getattr(job[1], name)
    if name in NAMED:
        return tr(f"train.{name}.{value}")
    return "–" if value is None else number(value)
