"""The Scene: what is the same on every page. p_data, p_init, scheduler, sigma_t, sample count and seeds.

Frozen and hashable, so that a scene is its own cache key. Field aliases are the names in the address.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from fmviz.scene.components import Component, Components

__all__ = [
    "INITS",
    "NOISE_STREAM",
    "PRESETS",
    "SCENE_PARTS",
    "SCHEDULERS",
    "SIGMAS",
    "InitName",
    "MixtureName",
    "PresetName",
    "Scene",
    "ScenePart",
    "SchedulerName",
    "SigmaName",
]

PresetName = Literal[
    "two_modes",
    "three_modes",
    "ring5",
    "ring8",
    "grid",
    "random",
    "moons",
    "circles",
    "spiral",
    "checkerboard",
    "pinwheel",
    "smiley",
]
InitName = Literal["gaussian", PresetName]
SchedulerName = Literal["linear", "sqrt", "trig", "polynomial", "vp", "custom"]
SigmaName = Literal["zero", "constant", "beta", "decay", "rise", "bump", "reversal"]
MixtureName = Literal["data", "init"]
ScenePart = Literal["data", "init", "scheduler", "sigma", "particles"]

PRESETS: tuple[PresetName, ...] = get_args(PresetName)
INITS: tuple[InitName, ...] = get_args(InitName)
SCHEDULERS: tuple[SchedulerName, ...] = get_args(SchedulerName)
SIGMAS: tuple[SigmaName, ...] = get_args(SigmaName)
SCENE_PARTS: tuple[ScenePart, ...] = get_args(ScenePart)
"""The parts of a Scene as the sidebar has them; the settings of a lesson may name those that act on its page as `scene_parts`."""

Seed = Annotated[int, Field(ge=0, le=999_999)]
NOISE_STREAM = 2_000_003
"""Added to the seed of the Brownian noise: with equal seeds the first increments would be the starting points themselves."""


def two_decimals(value: object) -> float:
    """Rounds a control's value, so that a link repeats it exactly."""
    return round(float(value), 2)  # type: ignore[arg-type]


class Scene(BaseModel):
    """Everything that decides the distributions, the path between them and the noise.

    `data_components` and `init_components` override the preset once the user has edited it. `exponent` belongs to the
    polynomial scheduler, `alpha` and `beta` to the custom one; `amplitude` scales sigma_t and lies in [0, 5].
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)
    makes_picture: ClassVar[bool] = True

    data: PresetName = Field("ring8", alias="data")
    data_components: Components = Field(None, alias="mix")
    init: InitName = Field("gaussian", alias="init")
    init_components: Components = Field(None, alias="initmix")
    scheduler: SchedulerName = Field("linear", alias="sched")
    exponent: Annotated[float, BeforeValidator(two_decimals)] = Field(
        2.0, ge=1.0, le=6.0, allow_inf_nan=False, alias="exp"
    )
    alpha: str = Field("t", max_length=200, alias="alpha")
    beta: str = Field("1 - t", max_length=200, alias="beta")
    sigma: SigmaName = Field("constant", alias="sigma")
    amplitude: Annotated[float, BeforeValidator(two_decimals)] = Field(
        1.0, ge=0.0, le=5.0, allow_inf_nan=False, alias="amp"
    )
    count: int = Field(500, ge=10, le=2000, alias="n")
    seed_data: Seed = Field(0, alias="sd")
    seed_start: Seed = Field(0, alias="ss")
    seed_noise: Seed = Field(0, alias="sn")
    seed_network: Seed = Field(0, alias="sw")

    def with_mixture(self, which: MixtureName, components: tuple[Component, ...] | None) -> Scene:
        """This scene with the components of one mixture replaced (None: back to the preset)."""
        return self.model_copy(update={f"{which}_components": components})

    @property
    def gaussian_source(self) -> bool:
        """Whether p_init is the standard Gaussian, which the conversions of T23 need."""
        return self.init == "gaussian" and self.init_components is None
