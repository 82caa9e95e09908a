"""What is known here of a run that another process does: news, the end, and the way back after a death."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
import torch

from fmviz.learning import TrainSpec
from fmviz.learning.mirror import Mirror
from fmviz.learning.training import Saved, Trainer
from fmviz.learning.worker import Kept, Update
from fmviz.theory import ProbabilityPath

SPEC = TrainSpec(hidden=(8,), batch_size=10, steps=100, schedule="constant", learning_rate=1e-3, ema=0.9, device="cpu")


@pytest.fixture
def mirror(ring8: ProbabilityPath) -> Mirror:
    return Mirror(7, ring8, SPEC, None, paused=False, touched=0.0, present=lambda: False)


def update(mirror: Mirror, step: int, losses: list[float], **changes: object) -> Update:
    """News at a step; of a run that goes on at 50 steps a second, unless said otherwise."""
    weights = np.full(Trainer(mirror.path, mirror.spec).snapshot().model.network.weights.shape, step, np.float32)
    news = Update(
        run=1,
        state="running",
        step=step,
        seconds=step / 50.0,
        learning_rate=1e-3,
        rate_changed=False,
        steps_per_second=50.0,
        losses=np.array(losses, np.float32),
        weights=weights,
        raw=weights + 1.0,
        kept=(Kept(step, weights, None, weights + 1.0),),
        saved=None,
        error=None,
        failure=None,
    )
    return dataclasses.replace(news, **changes)


def test_a_run_that_has_not_begun_knows_no_speed_and_no_end(mirror: Mirror) -> None:
    status = mirror.status()
    assert (status.id, status.state, status.step, status.steps) == (7, "queued", 0, 100)
    assert (status.steps_per_second, status.eta_seconds, status.model, status.kept) == (0.0, None, None, ())
    assert math.isnan(status.loss)
    assert (mirror.alive, mirror.moving, mirror.deaths, mirror.rate_changed) == (True, True, 0, False)
    assert not status.rate_changed


def test_a_paused_run_waits(ring8: ProbabilityPath) -> None:
    mirror = Mirror(1, ring8, SPEC, None, paused=True, touched=0.0, present=lambda: False)
    assert (mirror.state, mirror.alive, mirror.moving) == ("paused", True, False)
    mirror.apply(update(mirror, 5, [1.0] * 5, state="paused"))
    assert (mirror.status().steps_per_second, mirror.status().eta_seconds) == (0.0, None)


def test_a_run_of_no_speed_yet_has_no_end_in_sight(mirror: Mirror) -> None:
    mirror.apply(update(mirror, 0, [], steps_per_second=0.0))
    assert (mirror.state, mirror.status().eta_seconds) == ("running", None)


def test_news_add_up(mirror: Mirror) -> None:
    mirror.apply(update(mirror, 2, [4.0, 2.0]))
    mirror.apply(update(mirror, 5, [1.0, 2.0, 6.0], learning_rate=5e-4, rate_changed=True))
    mirror.apply(update(mirror, 5, [], weights=None, raw=None, kept=()))
    status = mirror.status()
    assert status.losses.tolist() == [4.0, 2.0, 1.0, 2.0, 6.0]
    assert status.loss == 3.0, "of the last steps that were told"
    assert status.eta_seconds == pytest.approx(95 / 50.0)
    assert (status.step, status.seconds, status.rate_changed) == (5, 0.1, True)
    assert [kept.step for kept in status.kept] == [2, 5]
    for model, value in (
        (status.model, 5.0),
        (status.raw, 6.0),
        (status.kept[0].model, 2.0),
        (status.kept[0].raw, 3.0),
    ):
        assert model is not None
        assert torch.equal(model.network.weights, torch.full_like(model.network.weights, value))
    assert mirror.size == 4 * model.network.weights.nbytes + 100 * 4


def test_an_ended_run_hears_no_more(mirror: Mirror) -> None:
    mirror.apply(update(mirror, 5, [1.0] * 5))
    mirror.end("cancelled")
    assert (mirror.alive, mirror.moving) == (False, False)
    mirror.apply(update(mirror, 8, [1.0] * 3))
    assert (mirror.state, mirror.status().step, mirror.status().steps_per_second) == ("cancelled", 5, 0.0)


def test_what_only_training_needs_goes_with_the_last_news(mirror: Mirror) -> None:
    saved = Trainer(mirror.path, SPEC).save()
    mirror.apply(update(mirror, 5, [1.0] * 5, saved=saved))
    assert mirror.saved is saved
    mirror.apply(update(mirror, 6, [1.0]))
    assert mirror.saved is saved, "until it is saved anew"
    mirror.apply(update(mirror, 100, [1.0] * 94, state="finished"))
    assert mirror.saved is None
    assert mirror.status().model is not None


def test_after_a_death_it_goes_back_to_where_it_was_saved(mirror: Mirror) -> None:
    mirror.apply(update(mirror, 2, [4.0, 2.0]))
    saved = dataclasses.replace(Trainer(mirror.path, SPEC).save(), step=2)
    assert isinstance(saved, Saved)
    mirror.apply(update(mirror, 5, [1.0] * 3, saved=saved))
    read = mirror.status().losses
    mirror.rewind()
    status = mirror.status()
    assert (mirror.state, mirror.deaths, status.step) == ("queued", 1, 2)
    assert status.losses.tolist() == [4.0, 2.0]
    assert [kept.step for kept in status.kept] == [2]
    mirror.apply(update(mirror, 3, [9.0]))
    assert mirror.status().losses.tolist() == [4.0, 2.0, 9.0]
    assert read.tolist() == [4.0, 2.0, 1.0, 1.0, 1.0], "what a reader holds does not change"


def test_without_anything_saved_it_begins_again(mirror: Mirror) -> None:
    mirror.apply(update(mirror, 2, [4.0, 2.0], state="paused"))
    mirror.rewind()
    assert (mirror.state, mirror.status().step, mirror.status().kept) == ("paused", 0, ())
    assert len(mirror.status().losses) == 0


def test_what_was_learned_elsewhere_is_taken_over(mirror: Mirror) -> None:
    other = Mirror(8, mirror.path, SPEC, None, paused=False, touched=0.0, present=lambda: False)
    other.apply(update(other, 100, [2.0] * 100, state="finished"))
    done = other.status()
    mirror.adopt(done.kept, done.losses, 1.5)
    found = mirror.status()
    assert (found.state, found.step, found.loss, found.seconds) == ("finished", 100, 2.0, 1.5)
    assert found.model is done.kept[-1].model
    assert found.raw is done.kept[-1].raw
