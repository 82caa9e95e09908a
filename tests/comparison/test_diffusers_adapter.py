"""Networks of diffusers: the same samples through theirs and through ours, and the exact field read through their conventions."""

from __future__ import annotations

import diffusers
import pytest
import torch
from torch import Tensor

import fmviz
from fmviz.comparison.adapters import from_diffusers
from fmviz.errors import ParameterError
from fmviz.theory import GaussianMixture, ProbabilityPath, presets, schedulers
from fmviz.theory.discrete import ancestral, ddim
from fmviz.theory.solvers import solve_ode

KINDS = {
    "DDPMScheduler": {"clip_sample": False, "variance_type": "fixed_small"},
    "DDIMScheduler": {"clip_sample": False},
    "FlowMatchEulerDiscreteScheduler": {"shift": 3.0},
}
CHEAP = {"particles": 40, "steps": 6}


class Mlp(torch.nn.Module):
    """A small network of x and the timestep, as one trains with diffusers."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(3)
        self.layers = torch.nn.Sequential(torch.nn.Linear(4, 32), torch.nn.SiLU(), torch.nn.Linear(32, 2)).double()

    def forward(self, x: Tensor, k: Tensor) -> Tensor:
        phase = k.expand(len(x))[:, None] / 1000.0
        return self.layers(torch.cat([x, phase.sin(), phase.cos()], dim=-1))


def scheduler(kind: str, steps: int = 0, **more: object):
    made = getattr(diffusers, kind)(**KINDS[kind], **more)
    if steps:
        made.set_timesteps(steps)
    return made


def path(name: str = "linear") -> ProbabilityPath:
    return ProbabilityPath(GaussianMixture.standard(), presets.get("ring5"), schedulers.get(name)).to(torch.float64)


def start() -> Tensor:
    return torch.randn(64, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


@torch.no_grad()
def theirs(made, model: torch.nn.Module, x: Tensor) -> Tensor:
    """Sampling as the documentation of diffusers writes it."""
    generator = torch.Generator().manual_seed(7)
    for k in made.timesteps:
        more = {"generator": generator} if isinstance(made, diffusers.DDPMScheduler) else {}
        x = made.step(model(x, k.double()), k, x, **more).prev_sample
    return x


@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction", "sample"])
def test_ddim_gives_the_same_samples_through_both(prediction):
    made = scheduler("DDIMScheduler", 20, prediction_type=prediction)
    ours = from_diffusers(path(), Mlp(), made)
    with torch.no_grad():
        found = ddim(ours.chain(), ours.denoiser, start())[-1]
    assert torch.allclose(found, theirs(made, Mlp(), start()), rtol=1e-5, atol=1e-5)


def test_ancestral_sampling_gives_the_same_samples_with_one_seed():
    made = scheduler("DDPMScheduler", 25)
    # As they are, in float32, the variances of their steps have four digits.
    made.alphas_cumprod = (1.0 - made.betas.double()).cumprod(0)
    ours = from_diffusers(path(), Mlp(), made)
    with torch.no_grad():
        found = ancestral(ours.chain(), ours.denoiser, start(), generator=torch.Generator().manual_seed(7))[-1]
    assert torch.allclose(found, theirs(made, Mlp(), start()), rtol=1e-5, atol=1e-5)


def test_euler_on_our_clock_is_their_flow_match_scheduler():
    made = scheduler("FlowMatchEulerDiscreteScheduler", 12)
    ours = from_diffusers(path(), Mlp(), made)
    times = [1.0 - float(sigma) for sigma in made.sigmas]
    with torch.no_grad():
        found = solve_ode(ours, start(), method="euler", times=times)[0][-1]
    assert torch.allclose(found, theirs(made, Mlp(), start()), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", ["linear", "trig", "vp"])
@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction", "sample"])
def test_the_exact_answer_in_their_convention_is_the_exact_velocity_on_any_path(prediction, name):
    """Their x is alpha' z + beta' eps with alpha'² = alphas_cumprod: p_k is a mixture known without any of ours."""
    made = scheduler("DDPMScheduler", prediction_type=prediction)
    kept = made.alphas_cumprod.double()
    data = path().p_data

    def exact(x: Tensor, k: Tensor) -> Tensor:
        # Linear in the log of the ratio between timesteps, which is where their table says nothing.
        logit = kept.logit()
        low = k.floor().long().clamp(0, 998)
        at = torch.lerp(logit[low], logit[low + 1], k - low).sigmoid()
        answers = []
        for row, share in zip(x, at.tolist(), strict=True):
            law = GaussianMixture(
                share**0.5 * data.means, share * data.covariances + (1.0 - share) * torch.eye(2), data.weights
            )
            noise = -((1.0 - share) ** 0.5) * law.score(row)
            z = (row - (1.0 - share) ** 0.5 * noise) / share**0.5
            v = share**0.5 * noise - (1.0 - share) ** 0.5 * z
            answers.append({"epsilon": noise, "sample": z, "v_prediction": v}[prediction])
        return torch.stack(answers)

    ours, wanted = from_diffusers(path(name), exact, made), path(name)
    x, t = wanted.sample(12, 0.5, generator=torch.Generator().manual_seed(1)), torch.linspace(0.15, 0.95, 12).double()
    assert torch.allclose(ours(x, t), wanted.marginal_velocity(x, t), rtol=1e-6, atol=1e-6)


def test_a_wrong_sign_is_found_through_the_adapter():
    linear = path()
    made = scheduler("FlowMatchEulerDiscreteScheduler")

    def right(x: Tensor, k: Tensor) -> Tensor:
        return -linear.marginal_velocity(x, 1.0 - k / 1000.0)

    assert fmviz.compare(linear, from_diffusers(linear, right, made), **CHEAP).error < 1e-9
    report = fmviz.compare(linear, from_diffusers(linear, lambda x, k: -right(x, k), made), **CHEAP)
    assert report.verdict == "other"
    assert "sign" in report.cause()


def test_what_has_no_such_velocity_is_refused():
    made = scheduler("DDPMScheduler")
    with pytest.raises(ParameterError, match="path"):
        from_diffusers(
            ProbabilityPath(presets.get("ring5"), presets.get("ring8"), schedulers.get("linear")), Mlp(), made
        )
    with pytest.raises(ParameterError, match="scheduler"):
        from_diffusers(path(), Mlp(), object())
    with pytest.raises(ParameterError, match="prediction type"):
        from_diffusers(path(), Mlp(), scheduler("DDPMScheduler", prediction_type="magic"))
