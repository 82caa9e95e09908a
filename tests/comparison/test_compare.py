"""`fmviz.compare` against exact fields with planted faults, and against functions that are none."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
import torch
from torch import Tensor

import fmviz
from fmviz.comparison import Comparison
from fmviz.comparison.clocks import Clock
from fmviz.errors import ParameterError
from fmviz.scene.views import LANGUAGES
from fmviz.theory import GaussianMixture, ProbabilityPath, conversions, presets, schedulers
from fmviz.theory.metrics import sliced_wasserstein

CHEAP = {"particles": 60, "steps": 8}


def make(scheduler: str = "linear", data: str = "two_modes") -> ProbabilityPath:
    return ProbabilityPath(GaussianMixture.standard(), presets.get(data), schedulers.get(scheduler)).to(torch.float64)


PATH = make()


def generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def wide(t: Tensor) -> Tensor:
    return t[:, None]


def noise(x: Tensor, t: Tensor, path: ProbabilityPath = PATH) -> Tensor:
    """E[eps|x] from the velocity by T23, not from the score."""
    return conversions.noise_from_velocity(x, t, path.marginal_velocity(x, t), path.scheduler)


def v_prediction(x: Tensor, t: Tensor, path: ProbabilityPath = PATH) -> Tensor:
    values = path.scheduler.evaluate(t)
    return wide(values.alpha) * noise(x, t, path) - wide(values.beta) * path.posterior_mean(x, t)


EXACT = {
    "velocity": lambda path: path.marginal_velocity,
    "score": lambda path: path.marginal_score,
    "noise": lambda path: lambda x, t: noise(x, t, path),
    "data": lambda path: path.posterior_mean,
    "v": lambda path: lambda x, t: v_prediction(x, t, path),
}


@pytest.mark.parametrize("scheduler", ["linear", "trig", "vp"])
@pytest.mark.parametrize("predicts", EXACT)
def test_the_exact_field_has_no_error_whatever_it_predicts(predicts, scheduler):
    path = make(scheduler)
    report = fmviz.compare(path, EXACT[predicts](path), predicts=predicts, **CHEAP)
    assert report.verdict == "declared"
    assert report.diagnosis.declared.error < 1e-9
    # Where a conversion is held, at one end of time, the velocity is not exact.
    inner = (report.over_time.t > 0.05) & (report.over_time.t < 0.95)
    assert report.over_time.relative[inner].max() < 1e-8
    assert report.field(torch.zeros(3, 2), 0.5).dtype == torch.float32


@pytest.mark.parametrize("predicts", EXACT)
def test_a_declared_time_from_data_to_noise_is_taken_at_its_word(predicts):
    sign = -1.0 if predicts == "velocity" else 1.0
    exact = EXACT[predicts](PATH)
    for time in ("data→noise", "data->noise"):
        report = fmviz.compare(PATH, lambda x, s: sign * exact(x, 1.0 - s), predicts=predicts, time=time, **CHEAP)
        assert report.verdict == "declared"
        assert report.diagnosis.declared.error < 1e-9


def test_a_time_in_thousandths_is_told_as_it_is_asked_for():
    report = fmviz.compare(
        PATH,
        lambda x, k: noise(x, 1.0 - k / 1000.0),
        predicts="noise",
        time="data→noise",
        rescale=lambda s: 1000.0 * s,
        **CHEAP,
    )
    assert report.diagnosis.declared.error < 1e-9


def clipped(t: Tensor) -> Tensor:
    return t.clamp(0.0, 1.0)


FAULTS = {
    "sign": (lambda x, t: -PATH.marginal_velocity(x, t), {"opposite": True}, "its sign is the opposite one"),
    "time reversed": (
        lambda x, t: PATH.marginal_velocity(x, 1.0 - t),
        {"time": "data→noise", "opposite": True},
        "it takes 1 − t for t",
    ),
    "the other convention": (
        lambda x, t: -PATH.marginal_velocity(x, 1.0 - t),
        {"time": "data→noise"},
        "its time runs from data to noise",
    ),
    "noise for velocity": (noise, {"predicts": "noise"}, "what the network predicts is the noise"),
    "score for velocity": (PATH.marginal_score, {"predicts": "score"}, "what the network predicts is the score"),
    "data for velocity": (PATH.posterior_mean, {"predicts": "data"}, "what the network predicts is the data"),
    "v for velocity": (v_prediction, {"predicts": "v"}, "what the network predicts is the v"),
    "noise of the other time": (
        lambda x, t: noise(x, 1.0 - t),
        {"predicts": "noise", "time": "data→noise"},
        "what the network predicts is the noise, and its time runs from data to noise",
    ),
    "thousandths": (
        lambda x, k: PATH.marginal_velocity(x, clipped(k / 1000.0)),
        {"other_unit": True},
        "it counts time in another unit",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_named(fault):
    wrong, changes, words = FAULTS[fault]
    report = fmviz.compare(PATH, wrong, **CHEAP)
    likely = report.diagnosis.likely
    assert report.verdict == "other"
    assert likely.error < 1e-6 < 0.1 < report.diagnosis.declared.error
    declared = report.diagnosis.declared.reading
    assert {name: getattr(likely.reading, name) for name in changes} == changes
    assert likely.reading.changes(declared) == len(changes)
    assert words in report.cause()
    assert report.diagnosis.table[0] == likely


@pytest.mark.parametrize(("steps", "sign", "word"), [(50, 1, "later"), (20, -1, "earlier"), (100, 1, "later")])
def test_off_by_one_step_is_named_with_the_step(steps, sign, word):
    report = fmviz.compare(PATH, lambda x, t: PATH.marginal_velocity(x, clipped(t + sign / steps)), **CHEAP)
    assert report.verdict == "other"
    assert report.diagnosis.likely.reading.shift == pytest.approx(sign / steps, abs=2e-4)
    assert f"a time {1 / steps:g} {word}, about one step of {steps}" in report.cause()


def test_a_fault_shows_through_the_error_of_a_trained_network():
    """What is right only roughly is told apart all the same."""
    rough = torch.randn(2, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    report = fmviz.compare(PATH, lambda x, t: -PATH.marginal_velocity(x, t) + 0.3 * (x @ rough).sin(), **CHEAP)
    assert report.verdict == "other"
    assert report.cause().startswith("Likely cause: its sign is the opposite one.")


def test_what_fits_no_reading_is_said_to_fit_none():
    report = fmviz.compare(PATH, lambda x, t: torch.ones_like(x) * 3.0, **CHEAP)
    assert report.verdict == "none"
    assert "No reading fits" in report.cause()


def test_distances_and_likelihood_have_their_floors():
    report = fmviz.compare(PATH, PATH.marginal_velocity, particles=400, steps=40)
    sliced, energy = report.distances
    assert (sliced.name, energy.name) == ("sliced_wasserstein", "energy")
    assert sliced.own == pytest.approx(sliced.exact, rel=1e-6)
    assert 0.3 * sliced.floor < sliced.own < 3.0 * sliced.floor
    assert report.likelihood is not None
    assert report.likelihood.own == pytest.approx(report.likelihood.exact, abs=5e-3)
    still = fmviz.compare(PATH, lambda x, t: 0.0 * x, particles=400, steps=4)
    start, data = PATH.p_init.sample(4000, generator=generator(1)), PATH.p_data.sample(4000, generator=generator(2))
    assert still.distances[0].own == pytest.approx(float(sliced_wasserstein(start, data)), rel=0.1)
    entropy = -math.log(2.0 * math.pi)
    assert still.likelihood is not None
    second_moment = float(PATH.p_data.covariance.trace() + PATH.p_data.mean.square().sum())
    assert still.likelihood.own == pytest.approx(entropy - 0.5 * second_moment, rel=0.1)


def test_the_error_over_time_adds_up_and_finds_the_worst_time():
    def late(x: Tensor, t: Tensor) -> Tensor:
        return PATH.marginal_velocity(x, t) * (1.0 + wide(t > 0.75))

    report = fmviz.compare(PATH, late, **CHEAP)
    frame = report.frame()
    assert list(frame) == ["t", "relative", "absolute"]
    assert report.error == pytest.approx(float(np.sqrt((frame.relative**2).mean())), rel=1e-5)
    assert (frame.relative[frame.t < 0.75] < 1e-7).all()
    assert report.worst[0] > 0.75
    assert report.map.values[3].max() < 1e-6 < report.map.values[4].max()


class Narrow(torch.nn.Module):
    """A network in float32 that wants its time as a column, as most training code has it."""

    def __init__(self, *layers: torch.nn.Module) -> None:
        super().__init__()
        self.layers = torch.nn.Sequential(torch.nn.Linear(3, 16), *layers, torch.nn.SiLU(), torch.nn.Linear(16, 2))

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        return self.layers(torch.cat([x, t], dim=-1))


@pytest.mark.parametrize(
    ("velocity", "library", "times"),
    [
        (lambda x, t: -x * t[:, None], "torch", "(N,)"),
        (lambda x, t: -x * t, "torch", "(N, 1)"),
        (lambda x, t: -x * math.sin(t), "torch", "a number"),
        (Narrow(), "torch", "(N, 1)"),
        (lambda x, t: np.multiply(-x.astype(float), np.sin(t)), "numpy", "(N, 1)"),
        (lambda x, t: -x if isinstance(t, float) and isinstance(x, np.ndarray) else None, "numpy", "a number"),
        (lambda x, t: -x * t.reshape(-1)[0], "torch", "a number"),  # one time for all
    ],
)
def test_the_way_of_calling_is_found(velocity, library, times):
    if times == "a number" and library == "torch" and velocity.__code__.co_names == ("reshape",):
        given = velocity

        def velocity(x, t):
            return given(x, torch.as_tensor(t))

    caller = fmviz.compare(PATH, velocity, **CHEAP).field.caller
    assert (caller.library, caller.times, caller.mixes, caller.varies) == (library, times, False, False)


def test_a_numpy_function_is_measured_but_has_no_likelihood():
    def field(x: np.ndarray, t: np.ndarray) -> np.ndarray:
        return PATH.marginal_velocity(torch.from_numpy(np.array(x)), torch.from_numpy(np.array(t))).numpy()

    report = fmviz.compare(PATH, field, **CHEAP)
    assert report.error < 1e-6
    assert report.likelihood is None


def test_a_network_left_in_training_mode_is_noticed():
    torch.manual_seed(0)
    dropout = fmviz.compare(PATH, Narrow(torch.nn.Dropout(0.5)), **CHEAP)
    assert any("dropout" in text for text in dropout.findings())
    batch = fmviz.compare(PATH, Narrow(torch.nn.BatchNorm1d(16)), **CHEAP)
    assert any("batch normalisation" in text for text in batch.findings())
    assert fmviz.compare(PATH, Narrow(torch.nn.BatchNorm1d(16)).eval(), **CHEAP).findings() == ()


def test_points_are_not_changed_by_a_function_that_writes_into_them():
    def greedy(x: Tensor, t: Tensor) -> Tensor:
        answer = PATH.marginal_velocity(x, t)
        x.zero_()
        return answer

    assert fmviz.compare(PATH, greedy, **CHEAP).error < 1e-9


def test_numbers_that_are_none_are_counted_and_left_out():
    def broken(x: Tensor, t: Tensor) -> Tensor:
        return torch.where(wide(t > 0.9), math.nan, PATH.marginal_velocity(x, t))

    report = fmviz.compare(PATH, broken, **CHEAP)
    assert report.over_time.lost == pytest.approx(3 / 32)
    assert report.error < 1e-9
    assert np.isnan(report.frame().relative.iloc[-1])
    assert report.distances[0].own == math.inf
    assert report.likelihood is None
    assert len(report.findings()) == 2
    assert "nan" not in re.sub(r"[A-Za-z0-9+/=]{200,}", "", report.to_html()).lower()


@pytest.mark.parametrize(
    ("velocity", "said"),
    [
        ("net", "a callable"),
        (lambda x, t: torch.zeros(len(x), 3), r"an answer of shape \(5, 3\)"),
        (lambda x, t: x[:, None] * torch.ones(3, 1), r"an answer of shape \(5, 3, 2\)"),
        (lambda x, t: 1 / 0, "ZeroDivisionError"),
        (lambda x: x, "TypeError"),
        (lambda x, t: None, "answers"),
        (lambda x, t: x * math.nan, "finite"),
        (lambda x, t: x * 1j, "complex"),
    ],
)
def test_what_is_no_velocity_is_refused_in_one_sentence(velocity, said):
    with pytest.raises(ParameterError, match=said) as found:
        fmviz.compare(PATH, velocity, **CHEAP)
    assert len(str(found.value)) < 400
    assert found.value.name == "velocity"


def test_an_exception_on_the_way_names_the_time():
    def fragile(x: Tensor, t: Tensor) -> Tensor:
        if float(t.max()) > 0.95:
            raise RuntimeError("out of range")
        return x

    with pytest.raises(ParameterError, match=r"RuntimeError: out of range at t = 0"):
        fmviz.compare(PATH, fragile, **CHEAP)


@pytest.mark.parametrize(
    ("wrong", "name"),
    [
        ({"predicts": "speed"}, "predicts"),
        ({"time": "backwards"}, "time"),
        ({"time": 1}, "time"),
        ({"particles": 1}, "particles"),
        ({"particles": 10**9}, "particles"),
        ({"steps": 2.5}, "steps"),
        ({"steps": True}, "steps"),
        ({"particles": 20_000, "steps": 1000}, "particles, steps"),
        ({"method": "magic"}, "method"),
        ({"seed": -1}, "seed"),
        ({"rescale": lambda s: s[:1]}, "rescale"),
        ({"rescale": lambda s: s / 0.0}, "rescale"),
    ],
)
def test_bounds(wrong, name):
    with pytest.raises(ParameterError) as found:
        fmviz.compare(PATH, PATH.marginal_velocity, **(CHEAP | wrong))
    assert found.value.name == name


def test_a_path_that_gives_no_velocity_says_so():
    other = ProbabilityPath(presets.get("two_modes"), presets.get("ring5"), schedulers.get("linear"))
    with pytest.raises(ParameterError, match="score"):
        fmviz.compare(other, other.marginal_score, predicts="score", **CHEAP)
    assert fmviz.compare(other, other.marginal_velocity, **CHEAP).error < 1e-5
    between = ProbabilityPath(GaussianMixture.standard(), presets.get("ring5"), schedulers.get("linear"), gamma=0.5)
    with pytest.raises(ParameterError, match="gamma"):
        fmviz.compare(between, between.posterior_mean, predicts="data", **CHEAP)
    assert fmviz.compare(between, between.marginal_velocity, **CHEAP).error < 1e-5
    with pytest.raises(ParameterError, match="ProbabilityPath"):
        fmviz.compare(PATH.p_data, PATH.marginal_velocity)


def small() -> Comparison:
    return fmviz.compare(PATH, lambda x, t: -PATH.marginal_velocity(x, t), name="<b>net</b>", **CHEAP)


def test_the_report_is_one_line_a_page_and_two_frames():
    report = small()
    line = repr(report)
    assert "\n" not in line
    assert len(line) < 200
    assert line.startswith("Comparison(<b>net</b>: field off by 200 %")
    frame = report.readings()
    assert list(frame.error) == sorted(frame.error)
    assert frame.reading[0] == "velocity, noise to data, opposite sign"
    for language in LANGUAGES:
        html = report.to_html(language)
        assert "<b>net" not in html
        assert not re.findall(r"""(?:src|href)\s*=\s*["'](?!data:)""", html)
        assert not re.findall(r"https?://(?!www\.w3\.org/2000/svg)", html)
        assert html.count("<svg") == 3
        assert len(html) < 150_000
    assert report._repr_html_() in report.to_html("en")
    assert "符号反了" in report.cause("zh")


def test_a_clock_tells_its_own_time():
    t = torch.tensor([0.25], dtype=torch.float64)
    assert float(Clock("data→noise", lambda s: 10.0 * s)(t)) == 7.5
    assert float(Clock("data→noise", lambda s: 10.0 * s, other_unit=True)(t)) == 0.75
    assert float(Clock("noise→data", other_unit=True)(t)) == 250.0
