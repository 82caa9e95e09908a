"""Labels on the page Bridges: shares along the trajectories from each part of the source, and what blind pairs do to them."""

import pytest
import torch

from fmviz.lessons.bridges.compute import labels
from fmviz.lessons.bridges.compute.fields import bridge
from fmviz.lessons.bridges.compute.presets import bridged
from fmviz.scene import Scene
from fmviz.theory.solvers import solve_ode
from tests.theory import builders

SCENE = bridged(Scene(), "ring8_moons")


@pytest.fixture(scope="module")
def found() -> labels.Labels:
    return labels.labels(SCENE, 128)


def test_blind_pairs_are_biased_and_pairs_within_labels_only_by_chance(found):
    assert found.share == pytest.approx((0.5, 0.5), abs=1e-6)
    blind, within, chance = found.blind, found.within, found.independent
    assert blind.bias.value > 0.25
    assert within.bias.value < chance.bias.value + 3.0 * (within.bias.error + chance.bias.error)
    assert chance.bias.value < 0.05
    # The top of the ring comes to the upper moon from the start on; within labels it starts at the share in the data.
    top = labels.PARTS.index("top")
    assert blind.shares[0][top][0].value > 0.9
    for part in within.shares[0]:
        assert part[0].value == pytest.approx(0.5, abs=0.05)
    assert within.shares[0][top][-1].value > 0.6


def test_a_label_asked_for_is_missed_with_blind_pairs_only(found):
    blind, within, chance = (of.distance.value for of in (found.blind, found.within, found.independent))
    assert blind > 3.0 * within
    assert within < 2.0 * chance
    assert min(within, chance) > found.floor.value - 2.0 * found.floor.error
    assert found.blind.cost.value < found.within.cost.value < found.independent.cost.value


def test_the_flow_keeps_the_share_of_the_whole(found):
    """The law at t is the mixture of the pairs, whose classes are those of the data; the four parts of this source are equal."""
    for coupled in (found.independent, found.blind, found.within):
        for of_label, share in zip(coupled.shares, found.share, strict=True):
            for at_t in zip(*of_label, strict=True):
                assert sum(mean.value for mean in at_t) / len(at_t) == pytest.approx(share, abs=0.05)
        for part in zip(*coupled.shares, strict=True):
            for at_t in zip(*part, strict=True):
                assert sum(mean.value for mean in at_t) == pytest.approx(1.0, abs=1e-6)


def test_shares_of_independent_pairs_are_those_of_the_exact_classifier_of_the_path(found):
    path = bridge(SCENE)
    start = path.p_init.sample(2000, generator=builders.seeded(0))
    line = solve_ode(path.marginal_velocity, start, method="heun", steps=labels.STEPS)[0][:: labels.EVERY]
    part = torch.atan2(start[:, 1], start[:, 0]).mul(2.0 / torch.pi).round().long() % 4
    for k, t in enumerate(labels.TIMES):
        probability = path.classifier(line[k], t)[:, 0]
        for p, of_part in enumerate(found.independent.shares[0]):
            assert of_part[k].value == pytest.approx(float(probability[part == p].mean()), abs=0.09)
