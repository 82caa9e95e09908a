"""`fmviz.show` and `fmviz.watch` without a browser: what travels, what is answered, and the still picture of the output."""

from __future__ import annotations

import base64
import io
import math
import sys
from collections.abc import Iterator
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image
from traitlets import TraitError

import fmviz
from fmviz.clips.clip import Clip, Extent, Markers, PlanePanel
from fmviz.errors import ParameterError
from fmviz.learning import Snapshot
from fmviz.notebook import watch as watch_function
from fmviz.notebook.script import loader_script, packed_script
from fmviz.notebook.widget import Player
from fmviz.stage.events import Clicked
from fmviz.stage.payload import decode_header
from fmviz.theory import GaussianMixture, ProbabilityPath, presets, schedulers, sigmas
from fmviz.theory.solvers import solve_ode

watching = sys.modules["fmviz.notebook.watch"]
assert watch_function is fmviz.watch
LARGEST = 300_000
"""Bytes by which one picture may let a notebook grow."""
SPEC = fmviz.TrainSpec(steps=40, hidden=(8,), batch_size=32)


def path(data: str = "two_modes") -> ProbabilityPath:
    return ProbabilityPath(GaussianMixture.standard(), presets.get(data), schedulers.get("linear"))


def header(player: Player) -> dict:
    return decode_header(player.payload)


def layers(player: Player, panel: int) -> list[str]:
    return [layer["name"] for layer in header(player)["panels"][panel]["layers"]]


def image(png: bytes) -> Image.Image:
    return Image.open(io.BytesIO(png))


def test_a_path_travels_as_its_law():
    player = fmviz.show(path(), t=0.25, playing=True)
    found = header(player)
    assert [panel["name"] for panel in found["panels"]] == ["conditional", "marginal", "posterior"]
    assert [panel["title"] for panel in found["panels"]] == [
        "Conditional path pₜ(x | z)",
        "Marginal path pₜ(x)",
        "Posterior pₜ(z | x)",
    ]
    assert found["law"]["follows"]
    assert (found["view"]["t"], found["view"]["playing"]) == (0.25, True)
    assert "sde" not in layers(player, 1)
    assert len(player.payload) + len(packed_script()) + len(loader_script()) < 100_000
    assert "sde" in layers(fmviz.show(path(), particles=20, sigma=sigmas.get("constant", 0.5)), 1)
    assert "边际" in header(fmviz.show(path(), language="zh"))["panels"][1]["title"]


def test_a_mixture_stands_at_the_end_of_its_path():
    mixture = presets.get("ring5")
    player = fmviz.show(mixture)
    assert player.t == 1.0
    assert player.mixture is not None
    assert torch.equal(player.mixture.means, mixture.means)


def test_a_click_calls_back_and_is_answered_with_a_trajectory_and_the_posterior():
    player = fmviz.show(path())
    heard = []
    player.observe(heard.append, names="clicked")
    player.event = {
        "name": "clicked",
        "value": {"x": 0.5, "y": -0.25, "t": 0.4, "panel": "marginal", "seq": 1},
        "number": 1,
    }
    assert player.clicked == Clicked(0.5, -0.25, 0.4, "marginal", 1)
    assert len(heard) == 1
    assert "click" in layers(player, 1)
    assert header(player)["panels"][2]["bars"]["at"] == [0.5, -0.25]


ROWS = [[0.25, -1.0, 0.0, 0.5, 0.1, 0.5], [0.75, 1.0, 2.0, 0.3, 0.0, 0.3]]


def test_an_edited_mixture_calls_back_and_the_path_follows():
    player = fmviz.show(path("ring5"))
    heard = []
    player.observe(heard.append, names="mixture")
    player.event = {
        "name": "edited",
        "value": {"mixture": "data", "components": ROWS, "phase": "done", "seq": 5},
        "number": 1,
    }
    assert len(heard) == 1
    assert player.path.p_data is player.mixture
    assert player.mixture.means.tolist() == [[-1.0, 0.0], [1.0, 2.0]]
    assert player.mixture.covariances[0].flatten().tolist() == pytest.approx([0.5, 0.1, 0.1, 0.5])
    assert header(player)["law"]["data"]["count"] == 12
    player.event = {"name": "moved", "value": {"name": "z", "x": 2.0, "y": 1.0, "phase": "done", "seq": 6}, "number": 2}
    assert header(player)["law"]["z"] == [2.0, 1.0]


def test_a_mixture_that_is_set_is_shown():
    player = fmviz.show(path("ring5"))
    before = player.payload
    player.mixture = presets.get("ring8")
    assert player.path.p_data.n_components == 8
    assert player.payload != before
    player.path = path("two_modes")
    assert player.mixture.n_components == 2


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"name": 3},
        {"name": "edited", "value": {"mixture": "data", "components": [[0, 0]], "phase": "done", "seq": 1}},
        {"name": "edited", "value": {"mixture": "other", "components": ROWS, "phase": "done", "seq": 1}},
        {"name": "clicked", "value": {"x": math.nan, "y": 0, "t": 0, "panel": "marginal", "seq": 1}},
        {"name": "clicked", "value": "here"},
        {"name": "moved", "value": {"name": "q", "x": 0, "y": 0, "phase": "done", "seq": 1}},
    ],
)
def test_what_makes_no_sense_is_not_heard(event):
    player = fmviz.show(path())
    before = player.payload
    player.event = event
    assert player.payload == before
    assert player.clicked is None


def test_where_nothing_plays_the_output_holds_a_still():
    data, _ = fmviz.show(path())._repr_mimebundle_()
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"]
    assert data["text/plain"] == "Player(t=0, playing=False)"
    png = base64.b64decode(data["image/png"])
    assert len(data["image/png"]) < LARGEST
    picture = np.asarray(image(png).convert("RGBA")).astype(float)
    assert picture.shape[1] > 800
    # The last frame of the marginal path: two clouds, at the means of the mixture, with nothing half way between them.
    height, width = 176, 176
    tile = picture[184 : 184 + height, 4 * 184 : 4 * 184 + width, 3]
    mass = tile[20:-20, 20:-20].sum(0)
    assert mass[: len(mass) // 3].max() > 3 * mass[len(mass) // 2] < mass[-len(mass) // 3 :].max()


def test_a_trajectory_is_shown_alone_or_with_its_times():
    law = path()
    found = solve_ode(law.marginal_velocity, law.p_init.sample(50), steps=20)
    player = fmviz.show(found)
    assert header(player)["times"]["count"] == 21
    assert layers(player, 0) == ["ode"]
    assert header(fmviz.show(found[0][:, 0]))["times"]["count"] == 21
    back, times = found[0].flip(0), found[1].flip(0)
    assert fmviz.show((back, times)).payload == player.payload
    broken = found[0].clone()
    broken[-5:] = math.inf
    assert image(fmviz.show(broken).still()).size[0] > 800
    long = torch.rand(3000, 4, 2, generator=torch.Generator().manual_seed(0))
    assert header(fmviz.show(long))["times"]["count"] == 400
    assert len(fmviz.show(torch.rand(500, 6000, 2)).payload) < 4_000_000


def test_the_clock_stays_within_the_picture():
    player = fmviz.show(path())
    player.t = 7.0
    assert player.t == 1.0
    with pytest.raises(TraitError, match="a time from 0 to 1"):
        player.t = math.nan
    assert player.t == 1.0


def test_the_still_follows_particles_as_the_flow_does():
    """One far component: the cloud of the last frame is where it is, and that of the first at the origin."""
    far = GaussianMixture(torch.tensor([[2.0, 2.0]]), 0.02 * torch.eye(2)[None], torch.ones(1))
    law = ProbabilityPath(GaussianMixture.standard(), far, schedulers.get("linear"))
    png = np.asarray(image(fmviz.show(law).still()).convert("RGBA")).astype(float)
    marginal = png[184 : 184 + 176]
    for column, place in ((0, (0.5, 0.5)), (4, (0.5 + 2.0 / 6.0, 0.5 - 2.0 / 6.0))):
        tile = marginal[6:-6, column * 184 + 6 : column * 184 + 170, 3]
        rows, columns = np.nonzero(tile > 200)
        assert (columns.mean() / 164, rows.mean() / 164) == pytest.approx(place, abs=0.06)


def test_a_clip_and_a_comparison_are_shown():
    marker = Markers("unheard of", "data", np.zeros((1, 2), np.float32))
    clip = Clip(np.array([0, 1], np.float32), (PlanePanel("p", "P", Extent(-1, 1, -1, 1), (marker,)),))
    assert header(fmviz.show(clip))["labels"]["layers"] == {"unheard of": "unheard of"}
    law = path()
    report = fmviz.compare(law, lambda x, t: 0.5 * law.marginal_velocity(x, t), particles=40, steps=6)
    player = fmviz.show(report, t=0.5)
    assert [panel["name"] for panel in header(player)["panels"]] == ["exact", "learned", "error"]
    assert len(player.payload) < LARGEST
    assert image(player.still()).size[1] > 500
    assert "<script" in player.to_html("A title")


@pytest.mark.parametrize(
    ("wrong", "more", "name"),
    [
        ("path", {}, "what"),
        (torch.zeros(3), {}, "what"),
        (torch.zeros(3, 4, 3), {}, "what"),
        (torch.full((3, 4, 2), math.nan), {}, "what"),
        ((torch.zeros(3, 4, 2), torch.zeros(3)), {}, "times"),
        ((torch.zeros(3, 4, 2), torch.arange(4)), {}, "times"),
        (path(), {"particles": 0}, "particles"),
        (path(), {"particles": 10**6}, "particles"),
        (path(), {"t": 2.0}, "t"),
        (path(), {"language": "fr"}, "language"),
    ],
)
def test_what_cannot_be_shown_is_refused(wrong, more, name):
    with pytest.raises(ParameterError) as found:
        fmviz.show(wrong, **more)
    assert found.value.name == name


def test_without_anywidget_it_says_what_to_install(fresh):
    code = "import sys; sys.modules['anywidget'] = None\nimport fmviz\ntry: fmviz.show(fmviz.presets.get('moons'))\nexcept fmviz.FmvizError as error: print(error)"
    assert "pip install 'fmviz[notebook]'" in fresh.printed(code)


def test_watch_without_a_notebook_runs_to_the_end():
    last = fmviz.watch(fmviz.train(path(), SPEC, every=10))
    assert last is not None
    assert last.step == 40


@pytest.fixture
def displayed(monkeypatch: pytest.MonkeyPatch) -> list[Player]:
    """What is displayed, as if there were a notebook."""
    shown: list[Player] = []
    monkeypatch.setattr(watching, "_in_notebook", lambda: True)
    monkeypatch.setattr(watching, "LEAST_PAUSE", 0.0)
    monkeypatch.setattr(watching, "SHARE", 0.0)
    monkeypatch.setattr("IPython.display.display", shown.append)
    return shown


def test_watch_shows_one_picture_that_changes(displayed):
    seen = []

    def training() -> Iterator[Snapshot]:
        for snapshot in fmviz.train(path(), SPEC, every=10):
            yield snapshot
            seen.append(displayed[0].payload)

    last = fmviz.watch(training(), path=path())
    assert (last.step, len(displayed), displayed[0].read_only) == (40, 1, True)
    assert len({*seen, displayed[0].payload}) == 5
    assert header(displayed[0])["times"]["count"] == 31


def test_an_interrupt_ends_the_training_and_keeps_the_last_snapshot(displayed):
    def interrupted() -> Iterator[Snapshot]:
        for snapshot in fmviz.train(path(), SPEC, every=10):
            yield snapshot
            if snapshot.step == 20:
                raise KeyboardInterrupt

    assert fmviz.watch(interrupted(), path=path()).step == 20
    assert len(displayed) == 1


@pytest.mark.parametrize("running", [True, False])
def test_watch_shows_its_picture_in_marimo_which_has_no_kernel_of_jupyter(monkeypatch, running):
    """`marimo edit` and `marimo run` are notebooks; a notebook of marimo that runs as a script is not."""
    shown: list[Player] = []
    monkeypatch.setitem(sys.modules, "marimo", SimpleNamespace(running_in_notebook=lambda: running))
    monkeypatch.setattr("IPython.display.display", shown.append)
    assert fmviz.watch(fmviz.train(path(), SPEC, every=20)).step == 40
    assert len(shown) == running


def test_watch_knows_the_path_of_train_and_asks_for_that_of_others(displayed):
    assert fmviz.watch(fmviz.train(path("ring5"), SPEC, every=20)).step == 40
    assert len(displayed) == 1
    with pytest.raises(ParameterError, match="path"):
        fmviz.watch(iter([]))
