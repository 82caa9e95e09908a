"""`show`: a moving picture of a path, a mixture, a clip, a comparison or a trajectory."""

from __future__ import annotations

__all__ = ["show"]

from typing import TYPE_CHECKING, get_args

from fmviz.errors import FmvizError, ParameterError
from fmviz.notebook.pictures import Showable, picture_of
from fmviz.scene.views import Language
from fmviz.theory import GaussianMixture, ProbabilityPath
from fmviz.theory.sigmas import Sigma

if TYPE_CHECKING:
    from fmviz.notebook.widget import Player

MOST_PARTICLES = 2000


def show(
    what: Showable,
    *,
    t: float | None = None,
    playing: bool = False,
    particles: int = 300,
    sigma: Sigma | None = None,
    language: Language = "en",
) -> Player:
    """Show something in a notebook, moving.

    A path: the conditional and the marginal path, whose components and z can be dragged, with the posterior of a clicked point. A
    mixture: the same, of the linear path from N(0, I) to it, standing at its end. A clip: as it is. A comparison: the exact
    field, the network's and the error. A trajectory, of shape (S, N, 2) or (S, 2), alone or with its times, as `solve_ode` and
    `solve_sde` return them: its particles.

    The player's traits `t`, `playing`, `clicked`, `mixture` and `path` can be observed and set. Where nothing can play, as on the page
    of a forge, the output holds a still picture.

    Args:
        what: what to show.
        t: where the clock stands at first; by default 0, and 1 for a mixture.
        playing: whether it runs.
        particles: of a path, 1 to 2000.
        sigma: of a path, to show particles of the SDE as well.
        language: of the texts.

    Raises:
        ParameterError: `what` cannot be shown, or a bound is broken.
        FmvizError: anywidget is not installed.
    """
    if not 1 <= particles <= MOST_PARTICLES:
        raise ParameterError("particles", f"a whole number from 1 to {MOST_PARTICLES}", particles)
    if language not in get_args(Language):
        raise ParameterError("language", f"one of {get_args(Language)}", language)
    picture = picture_of(what, language, particles, sigma)
    first, last = float(picture.clip.times[0]), float(picture.clip.times[-1])
    if t is not None and not first <= t <= last:
        raise ParameterError("t", f"a time from {first:g} to {last:g}", t)
    alive = isinstance(what, ProbabilityPath | GaussianMixture)
    return player_class()(
        picture, language=language, t=t, playing=playing, alive=alive, particles=particles, sigma=sigma
    )


def player_class() -> type[Player]:
    """`Player`, whose module needs anywidget.

    Raises:
        FmvizError: it is not installed.
    """
    try:
        from fmviz.notebook.widget import Player
    except ModuleNotFoundError as error:
        if error.name in ("anywidget", "ipywidgets", "traitlets"):
            raise FmvizError("pictures in a notebook need anywidget: pip install 'fmviz[notebook]'") from error
        raise
    return Player
