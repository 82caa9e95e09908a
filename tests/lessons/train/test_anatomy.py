"""One step under the lens agrees with the formulas, draw by draw."""

import pytest
import torch

from fmviz.errors import ParameterError
from fmviz.learning.training import initial_model
from fmviz.lessons.train.compute.anatomy import anatomy
from fmviz.lessons.train.settings import Settings as TrainSettings
from fmviz.lessons.train.spec import train_spec
from fmviz.scene import Scene, scenes


def taken(objective: str, scene: Scene | None = None, **settings):
    scene = scene or Scene()
    path, spec = scenes.path(scene), train_spec(scene, TrainSettings(objective=objective, **settings))
    model = initial_model(path, spec)
    return path, model, anatomy(path, spec, model, draw=3)


@pytest.mark.parametrize("objective", ["cfm", "fm", "noise", "data", "score"])
def test_each_draw_is_consistent_with_its_path_and_network(objective):
    path, model, draws = taken(objective)
    assert [d.t for d in draws] == sorted(d.t for d in draws)
    for d in draws:
        z, eps, x = torch.tensor(d.z), torch.tensor(d.eps), torch.tensor(d.x)
        v = path.scheduler.evaluate(torch.tensor(d.t))
        torch.testing.assert_close(x, v.alpha * z + v.beta * eps, atol=1e-5, rtol=1e-4)
        wanted = {
            "cfm": z - eps,
            "fm": path.marginal_velocity(x, d.t),
            "noise": eps,
            "data": z,
            "score": -eps,
        }[objective]
        torch.testing.assert_close(torch.tensor(d.target), wanted, atol=2e-4, rtol=1e-3)
        answer = model.network(x, d.t) * (v.beta if objective == "score" else 1.0)
        torch.testing.assert_close(torch.tensor(d.prediction), answer, atol=1e-5, rtol=1e-4)
        assert d.error == pytest.approx(float((answer - wanted).square().sum()), rel=1e-2, abs=1e-4)


def test_another_number_gives_other_draws_and_the_same_number_the_same():
    scene = Scene()
    path, spec = scenes.path(scene), train_spec(scene, TrainSettings())
    model = initial_model(path, spec)
    first, again, other = (anatomy(path, spec, model, draw=n) for n in (0, 0, 1))
    assert first == again != other


def test_an_objective_that_the_path_does_not_have_is_refused():
    with pytest.raises(ParameterError, match="objective"):
        taken("score", Scene(init="two_modes"))
