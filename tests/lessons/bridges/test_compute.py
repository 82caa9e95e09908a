"""What the page Bridges computes: fields, crossings, and the laws that its charts show."""

import math

import pytest
import torch

from fmviz.errors import ParameterError
from fmviz.lessons.bridges.compute import checks, evidence, fields, flows, results
from fmviz.lessons.bridges.compute.fields import Side
from fmviz.lessons.bridges.compute.presets import BRIDGES, bridged
from fmviz.lessons.bridges.settings import MAX_BATCH, Settings
from fmviz.scene import Scene, scenes
from fmviz.theory import couplings
from fmviz.theory.couplings import gaussian_map, straightness
from tests.theory import builders

RING_MOONS = bridged(Scene(count=100), "ring8_moons")
GAUSSIANS = bridged(Scene(count=100), "two_gaussians")


def test_crossings_of_known_lines():
    starts = torch.tensor([[0.0, 0.0], [0.0, 1.0], [5.0, 0.0], [5.0, 0.5]])
    ends = torch.tensor([[1.0, 1.0], [1.0, 0.0], [6.0, 0.0], [6.0, 0.5]])
    assert torch.allclose(flows.crossings(starts, ends), torch.tensor([[0.5, 0.5]]))


def test_the_density_of_the_picture_is_that_of_the_field():
    found = flows.flow(RING_MOONS, Side("exact", 64))
    field = fields.made(RING_MOONS, Side("exact", 64)).field
    grid = flows.Grid(flows.extent(RING_MOONS), cells=flows.CELLS)
    wanted = field.log_density(grid.points(flows.CELLS), 0.5).reshape(flows.CELLS, flows.CELLS)
    there = wanted > -15  # in float32, far from all pairs, there is nothing
    assert torch.allclose(torch.from_numpy(found.log_density[30])[there], wanted[there], atol=1e-3)


def test_reflow_straightens_at_no_cost_and_one_step_beats_four_of_the_first_flow():
    found = evidence.rounds(RING_MOONS, "none")
    first, second = found.cost[:2]
    assert second.value < first.value + 2.0 * math.hypot(first.error, second.error)
    assert found.straightness[1].value < found.straightness[0].value / 3
    over = evidence.over_steps(RING_MOONS, (Side(), Side("reflow2")))
    four_of_first, one_of_second = over.of[0][evidence.STEPS.index(4)], over.of[1][0]
    assert one_of_second.value < four_of_first.value - 2.0 * four_of_first.error


@pytest.mark.parametrize("fault", ["few", "coarse", "reversed"])
def test_every_fault_of_a_reflow_takes_it_away_from_the_data(fault):
    well, badly = evidence.rounds(RING_MOONS, "none"), evidence.rounds(RING_MOONS, fault)
    assert badly.distance[1].value > well.distance[1].value + 2.0 * well.distance[1].error
    assert badly.distance[0] == well.distance[0]


def test_costs_fall_from_independent_to_the_best():
    found = evidence.costs(RING_MOONS, 0.1)
    alone = found.exact[0]
    assert abs(alone.value - found.independent) < 5.0 * alone.error
    values = [mean.value for mean in found.exact]
    assert values == sorted(values, reverse=True)
    assert found.best.value < values[-1] + 2.0 * found.exact[-1].error
    assert not found.closed
    two = evidence.costs(GAUSSIANS, 0.1)
    path = fields.bridge(GAUSSIANS)
    assert two.closed
    assert two.best.value == gaussian_map(path.p_init, path.p_data).cost


def test_the_optimal_map_is_straight_and_is_there_for_two_gaussians_only():
    found = fields.made(GAUSSIANS, Side("map"))
    x0 = scenes.mixture(GAUSSIANS, "init").sample(50, generator=builders.seeded(0)).double()
    assert float(straightness(found.velocity, x0).max()) < 1e-20
    path = fields.bridge(GAUSSIANS)
    assert torch.allclose(x0 + found.velocity(x0, 0.0), gaussian_map(path.p_init, path.p_data)(x0))
    with pytest.raises(ParameterError) as error:
        fields.made(RING_MOONS, Side("map"))
    assert error.value.key == "one_gaussian"


def test_the_bridge_obeys_its_laws_with_noise_in_between():
    found = checks.checked(RING_MOONS, 0.8)
    assert max(found.continuity, found.fokker_planck) < 1e-6
    assert found.score < 1e-9
    assert all(max(ode, sde) < 2.0 * floor for ode, sde, floor in zip(found.ode, found.sde, found.floor, strict=True))


@pytest.mark.parametrize("name", BRIDGES)
def test_every_bridge_has_a_flow_with_noise_in_between(name):
    scene = bridged(Scene(count=20), name)
    assert Scene.model_validate(scene.model_dump(by_alias=True)) == scene
    for coupling in ("independent", "exact"):
        found = flows.flow(scene, Side(coupling, 32, gamma=0.5))
        assert bool(torch.from_numpy(found.motion.positions).isfinite().all())


def test_a_batch_is_bounded_as_in_the_library():
    assert MAX_BATCH == couplings.MAX_PAIRS
    with pytest.raises(ValueError, match="4096"):
        Settings(batch=MAX_BATCH + 1)


def test_what_has_no_part_in_a_coupling_does_not_make_a_new_one():
    one, other = Settings(a="independent", b="reflow1"), Settings(a="independent", b="reflow1", batch=8)
    assert results.sides(one) == results.sides(other)
    assert results.sides(Settings(a="exact", batch=8))[0].batch == 8
    plain = results.plain(Scene(sigma="zero", scheduler="vp"))
    assert plain == Scene(sigma=plain.sigma)
