"""`compare`: a network of anybody beside the exact field of a path."""

from __future__ import annotations

__all__ = ["compare"]

from typing import get_args

from fmviz.comparison.calling import PROBES, Function, find_caller
from fmviz.comparison.clocks import Clock, Rescale, direction_of
from fmviz.comparison.diagnosis import diagnose
from fmviz.comparison.field import own_field
from fmviz.comparison.measures import distances, error_map, error_over_time, likelihood, runs
from fmviz.comparison.readings import Reading, exact_answers
from fmviz.comparison.report import Comparison
from fmviz.errors import ParameterError
from fmviz.theory import ProbabilityPath
from fmviz.theory.dialect import PREDICTIONS, Prediction
from fmviz.theory.solvers import METHODS

MOST_PARTICLES, MOST_STEPS, MOST_WORK = 20_000, 1000, 5_000_000
LONGEST_NAME = 60
TIMES, POINTS, FEWEST_POINTS = 32, 128, 32
"""The points of the field error: so many times, and so many draws of p_t at each; fewer on paths of many pairs of components."""
MOST_EVALUATIONS = 4_000_000
"""Of pairs at points, at once: 32 MB for each number that is kept of them."""


def compare(
    path: ProbabilityPath,
    velocity: Function,
    *,
    predicts: Prediction = "velocity",
    time: str = "noise→data",
    rescale: Rescale | None = None,
    particles: int = 1000,
    steps: int = 50,
    method: str = "heun",
    seed: int = 0,
    name: str | None = None,
) -> Comparison:
    """Hold a network against the exact field of a path, and find out what it predicts if that is not what was said.

    The network is any callable ``velocity(x, t)``, of torch or of NumPy. It is given x of shape (N, 2) and t of shape (N,), (N, 1) or as a
    number, whichever it takes, and answers (N, 2). A torch module is called in its own dtype and on its own device; its mode
    (training or evaluation) is left as it is. The network's own code runs: compare only what you trust.

    Args:
        path: the exact path that the network was trained on.
        velocity: the network.
        predicts: what it answers: "velocity", "score", "noise" (E[eps|x]), "data" (E[z|x]) or "v" (alpha eps - beta z).
        time: which way its time runs from 0 to 1, "noise→data" as here or "data→noise"; "->" may stand for the arrow. A velocity
            is then per unit of its own time, so of the opposite sign.
        rescale: from that time, a float64 tensor, to what the network is told, such as ``lambda s: 1000 * s``. The unit of a velocity
            stays.
        particles: how many particles follow both fields, 2 to 20 000.
        steps, method: of the solver of both, 1 to 1000, one of `fmviz.theory.solvers.METHODS`; steps times particles at most 5 000 000.
        seed: of the particles and of the exact samples.
        name: what the report calls the network; by default the name of its class or function.

    Returns:
        The report.

    Raises:
        ParameterError: the network cannot be called in any of these ways, raises, or answers in another shape or with no finite number at
            all; a bound is broken; the path does not give a velocity for what is predicted.

    Example:
        >>> import torch
        >>> from fmviz.theory import GaussianMixture, presets, schedulers
        >>> path = ProbabilityPath(GaussianMixture.standard(), presets.get("two_modes"), schedulers.get("linear"))
        >>> report = compare(path, lambda x, t: -path.marginal_velocity(x, t), particles=100, steps=10)
        >>> report.verdict, report.diagnosis.likely.reading.opposite
        ('other', True)
    """
    if not isinstance(path, ProbabilityPath):
        raise ParameterError("path", "a ProbabilityPath", path)
    if predicts not in get_args(Prediction):
        raise ParameterError("predicts", f"one of {', '.join(PREDICTIONS)}", predicts)
    _check_count("particles", particles, 2, MOST_PARTICLES)
    _check_count("steps", steps, 1, MOST_STEPS)
    _check_count("seed", seed, 0, 2**31)
    if particles * steps > MOST_WORK:
        raise ParameterError("particles, steps", f"a product of at most {MOST_WORK}", (particles, steps))
    if method not in METHODS:
        raise ParameterError("method", f"one of {', '.join(METHODS)}", method)
    clock = Clock(direction_of(time), rescale)
    points = max(FEWEST_POINTS, min(POINTS, MOST_EVALUATIONS // (TIMES * path.n_pairs)))
    exact = exact_answers(path, TIMES, points)
    probed = exact.t[:: TIMES // PROBES][:PROBES]
    caller = find_caller(velocity, exact.x[:: TIMES // PROBES, 0], clock(probed))
    field = own_field(path, caller, clock, predicts)
    over_time = error_over_time(field, exact)
    if over_time.lost == 1.0:
        raise ParameterError("velocity", "finite numbers", "none among all answers")
    found = runs(path, field, particles, steps, method, seed)
    return Comparison(
        path=path,
        name=(name or _name(velocity))[:LONGEST_NAME],
        field=field,
        diagnosis=diagnose(path, caller, clock, exact, Reading(predicts, clock.direction)),
        over_time=over_time,
        map=error_map(path, field),
        runs=found,
        distances=distances(path.p_data, found, seed),
        likelihood=likelihood(path, field, seed),
    )


def _check_count(name: str, value: object, least: int, most: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise ParameterError(name, f"a whole number from {least} to {most}", value)


def _name(function: object) -> str:
    return str(getattr(function, "__qualname__", type(function).__name__)).rsplit(".", 1)[-1]
