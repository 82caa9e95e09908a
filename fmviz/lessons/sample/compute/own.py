"""A network that somebody uploads, as an ONNX file or a checkpoint of fmviz, held against the exact field of the scene."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from fmviz.clips.paths import as_array
from fmviz.comparison import pictures
from fmviz.comparison.compare import compare
from fmviz.comparison.onnx_network import OnnxError, OnnxNetwork
from fmviz.comparison.report import Comparison
from fmviz.comparison.sentences import reading_name
from fmviz.errors import ParameterError
from fmviz.learning import checkpoint
from fmviz.scene import Scene, scenes
from fmviz.scene.views import Language

__all__ = ["DIRECTIONS", "PREDICTIONS", "Direction", "Held", "Prediction", "held", "held_checkpoint"]

Prediction = Literal["velocity", "score", "noise", "data", "v"]
PREDICTIONS: tuple[Prediction, ...] = get_args(Prediction)
Direction = Literal["noise→data", "data→noise"]
DIRECTIONS: tuple[Direction, ...] = get_args(Direction)


@dataclass(frozen=True)
class Held:
    """What is shown of a `fmviz.comparison.report.Comparison`.

    Attributes:
        sentences: the likely cause, and what else is wrong.
        error: of the velocity, relative.
        worst: the time at which it is largest, and how large it is there.
        distances: names, and the values for the network, the exact field and exact samples.
        figures: names and pictures, as SVG.
        readings: names, errors, and whether it is the one that was declared.
    """

    sentences: tuple[str, ...]
    error: float
    worst: tuple[float, float]
    distances: tuple[tuple[str, tuple[float, float, float]], ...]
    figures: tuple[tuple[str, str], ...]
    readings: tuple[tuple[str, float, bool], ...]


def held(scene: Scene, model: bytes, predicts: Prediction, time: Direction, factor: float, language: Language) -> Held:
    """The comparison with the exact field.

    Args:
        scene: the scene that the network is said to have learned.
        model: the file.
        predicts, time: as in `fmviz.compare`.
        factor: what the network's time from 0 to 1 is multiplied by.
        language: of the report.

    Raises:
        OnnxError: the file is none that can be used, or the model broke a bound.
        ParameterError: its answers are no numbers, or do not give a velocity on this path.
    """
    with OnnxNetwork(model) as network:
        try:
            found = compare(
                scenes.path(scene),
                network,
                predicts=predicts,
                time=time,
                rescale=lambda s: factor * s,
            )
        except ParameterError as error:
            if isinstance(error.__cause__, OnnxError):
                raise error.__cause__ from None
            raise
    return _shown(found, language)


def held_checkpoint(scene: Scene, file: bytes, language: Language) -> Held:
    """The comparison of a checkpoint's network, whose file says what it predicts and how time runs.

    Args:
        scene: the scene that it is held against, whatever it was trained on.
        file: as `fmviz.learning.checkpoint` writes it; it is read, nothing in it is run.
        language: of the report.

    Raises:
        CheckpointError: the file is none, too large, or not in order.
        ParameterError: the network tells labels apart, or its answers do not give a velocity on this path.
    """
    model = checkpoint.from_bytes(file).model
    predicts = model.predicts
    if predicts == "label":
        raise ParameterError("network", "one that predicts a field", "a classifier", key="classifier")
    found = compare(
        scenes.path(scene),
        lambda x, t: model.predict(predicts, x.to(model.dtype), t.to(model.dtype)),
        predicts=predicts,
    )
    return _shown(found, language)


def _shown(found: Comparison, language: Language) -> Held:
    ends = (as_array(found.runs.exact[-1]), as_array(found.runs.own[-1]))
    return Held(
        (found.cause(language), *found.findings(language)),
        found.error,
        found.worst,
        tuple((each.name, (each.own, each.exact, each.floor)) for each in found.distances),
        (
            ("over_time", pictures.line_svg(found.over_time.t, found.over_time.relative, "")),
            ("over_x", pictures.map_svg(found.map, "")),
            ("particles", pictures.ends_svg(*ends, found.map.extent, "")),
        ),
        tuple(
            (reading_name(fit.reading, language), fit.error, fit == found.diagnosis.declared)
            for fit in found.diagnosis.shown()
        ),
    )
