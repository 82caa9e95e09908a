"""The clip of a learned field says what the network does, and can be made while it trains."""

import time

import numpy as np
import pytest
import torch

from fmviz.clips.clip import Contours, Density, Particles, Vectors
from fmviz.clips.extents import extent
from fmviz.clips.learned import COARSE, LIVE, STILL, Truth, affordable, learned_clip, truth
from fmviz.clips.paths import Starts
from fmviz.learning import LearnedModel, Trainer
from fmviz.learning.training import initial_model
from fmviz.lessons.train.compute import results
from fmviz.lessons.train.settings import Settings as TrainSettings
from fmviz.lessons.train.spec import train_spec
from fmviz.scene import Scene, scenes
from fmviz.stage.payload import View, check

OBJECTIVES = ("cfm", "fm", "score", "noise", "data")


def known(scene: Scene, resolution=LIVE) -> Truth:
    return truth(scenes.path(scene), extent(scene), Starts(300), resolution)


def layer(clip, panel: str, kind: type, name: str):
    (found,) = (p for p in clip.panels if p.name == panel)
    return next(la for la in found.layers if isinstance(la, kind) and la.name == name)


def trained(scene: Scene, steps: int, **settings) -> LearnedModel:
    spec = train_spec(scene, TrainSettings(steps=max(steps, 1), width=32, depth=2, **settings))
    trainer = Trainer(scenes.path(scene), spec)
    trainer.advance(steps)
    return trainer.snapshot().model


class Exact(LearnedModel):
    """A model that is the exact field."""

    def sampling_velocity(self, x, t):
        return PATH.marginal_velocity(x, t)

    def to(self, target):
        return self


PATH = scenes.path(Scene())


@pytest.mark.parametrize("resolution", [COARSE, LIVE, STILL])
@pytest.mark.parametrize("objective", OBJECTIVES)
def test_every_objective_has_a_playable_clip_before_the_first_step(objective, resolution):
    scene = Scene()
    model = initial_model(scenes.path(scene), train_spec(scene, TrainSettings(objective=objective)))
    clip = learned_clip(known(scene, resolution), model)
    check(clip)
    assert [panel.name for panel in clip.panels] == ["exact", "learned", "error"]
    assert len(clip.times) == resolution.frames


@pytest.mark.parametrize("scene", [Scene(scheduler="sqrt"), Scene(scheduler="vp"), Scene(init="two_modes")])
def test_every_path_has_a_playable_clip(scene):
    model = initial_model(scenes.path(scene), train_spec(scene, TrainSettings(objective="noise")))
    check(learned_clip(known(scene), model))


def test_the_exact_field_has_no_error_and_the_same_particles():
    model = initial_model(PATH, train_spec(Scene(), TrainSettings()))
    clip = learned_clip(known(Scene()), Exact(model.network, "velocity", model.scheduler, True))
    error = layer(clip, "error", Density, "error")
    assert error.log_values.max() < error.log_max - 10
    assert clip.readouts[0].values.max() < 1e-5
    np.testing.assert_allclose(
        layer(clip, "learned", Particles, "learned").positions,
        layer(clip, "exact", Particles, "ode").positions,
        atol=1e-4,
    )
    learned = layer(clip, "learned", Vectors, "learned_velocity")
    exact = PATH.marginal_velocity(torch.from_numpy(learned.positions), torch.from_numpy(clip.times)[:, None]).numpy()
    np.testing.assert_allclose(
        learned.vectors,
        exact,
        atol=1e-4,
    )


def test_the_error_is_that_of_the_model_at_the_cells():
    scene, model = Scene(), trained(Scene(), 5)
    at = known(scene)
    clip = learned_clip(at, model)
    values = layer(clip, "error", Density, "error").log_values
    for frame in (0, 5, 10):
        t = float(clip.times[frame])
        expected = (model.velocity(at.points, t) - PATH.marginal_velocity(at.points, t)).norm(dim=-1)
        np.testing.assert_allclose(np.exp(values[frame].ravel()), expected.numpy(), rtol=1e-4, atol=1e-5)


def test_the_lines_of_the_error_are_at_5_10_25_and_50_per_cent():
    lines = layer(learned_clip(known(Scene()), trained(Scene(), 1)), "error", Contours, "error_contours")
    assert lines.levels == (0.05, 0.1, 0.25, 0.5)


def test_both_sides_start_at_the_same_points_and_learning_pales_the_map():
    scene = Scene()
    before, after = (learned_clip(known(scene), trained(scene, n)) for n in (0, 400))
    for clip in (before, after):
        learned, exact = layer(clip, "learned", Particles, "learned"), layer(clip, "exact", Particles, "ode")
        assert np.array_equal(learned.positions[0], exact.positions[0])
    assert after.readouts[0].values.mean() < 0.5 * before.readouts[0].values.mean()
    assert layer(before, "error", Density, "error").log_max == layer(after, "error", Density, "error").log_max


def test_a_network_that_has_blown_up_is_still_drawn():
    model = initial_model(PATH, train_spec(Scene(), TrainSettings()))
    broken = type(model.network)(model.network.architecture, model.network.weights * 1e30)
    with np.errstate(all="ignore"):
        clip = learned_clip(known(Scene()), LearnedModel(broken, "velocity", model.scheduler, True))
    check(clip)


def test_a_live_clip_is_cheap():
    """A guard against losing an order of magnitude; `make bench` holds the page to its four pictures a second."""
    model, at = initial_model(PATH, train_spec(Scene(), TrainSettings())), known(Scene())
    torch.set_num_threads(1)
    learned_clip(at, model)
    began = time.thread_time()
    learned_clip(at, model)
    assert time.thread_time() - began < 0.3


@pytest.mark.parametrize(
    ("width", "depth", "live", "still"), [(64, 4, LIVE, STILL), (256, 4, COARSE, LIVE), (512, 8, COARSE, COARSE)]
)
def test_a_large_network_gets_a_coarser_clip(width, depth, live, still):
    scene = Scene()
    model = initial_model(scenes.path(scene), train_spec(scene, TrainSettings(width=width, depth=depth)))
    assert affordable(model, 8, LIVE) == live
    assert affordable(model, 8, STILL) == still


def test_many_pairs_of_components_have_fewer_cells_of_the_error():
    model = initial_model(PATH, train_spec(Scene(), TrainSettings()))
    fine, coarse, least = (affordable(model, pairs, STILL) for pairs in (8, 1536, 10**6))
    assert (fine.error_cells, least.error_cells) == (STILL.error_cells, 12)
    assert coarse.frames * coarse.error_cells**2 * 1536 <= 6e7
    assert coarse.error_cells > 30


def test_the_points_of_a_clip_are_those_that_pass_through_the_network():
    scene, passed = Scene(), []

    class Counting(Exact):
        def sampling_velocity(self, x, t):
            passed.append(x[..., 0].numel())
            return super().sampling_velocity(x, t)

    model = initial_model(scenes.path(scene), train_spec(scene, TrainSettings(width=16, depth=1)))
    learned_clip(known(scene, LIVE), Counting(model.network, "velocity", model.scheduler, True))
    assert sum(passed) == LIVE.points


def test_sigma_and_noise_change_nothing_on_this_page():
    """They are part of the SDE, which is not drawn here: the picture is not made again."""
    model = initial_model(PATH, train_spec(Scene(), TrainSettings()))
    one, other = (
        results.payload(scene, model, LIVE, View(), "en")
        for scene in (Scene(), Scene(sigma="bump", amplitude=2.0, seed_noise=7))
    )
    assert one is other
    assert results.payload(Scene(count=60), model, LIVE, View(), "en") is not one
