"""The page Bridges as a runnable program: plain PyTorch on the library, nothing of the app."""

from __future__ import annotations

from fmviz.lessons.bridges.settings import BLUR, PAIRS, REFLOW_STEPS, Settings
from fmviz.scene import Scene
from fmviz.scene.code import mixture_code

__all__ = ["bridges_script"]

MOST_TRAINED = 512
"""The largest batch that is paired for a training step here; larger ones take seconds."""


def bridges_script(scene: Scene, view: Settings) -> str:
    """Python that pairs source and data in several ways and compares their flows. Runs as it stands."""
    by_network = view.field == "network"
    return _given(scene, view, by_network) + (_networks(scene, view) if by_network else _exact(view))


def _given(scene: Scene, view: Settings, by_network: bool) -> str:
    replacing = "from dataclasses import replace\n\n" if by_network else ""
    learning = "\nfrom fmviz.learning import Reflow, TrainSpec, next_round, train" if by_network else ""
    return f"""{replacing}import torch{learning}
from fmviz.theory import GaussianMixture, ProbabilityPath, presets, schedulers
from fmviz.theory.couplings import minibatch_pairs, reflow_pairs, straightness, transport_cost
from fmviz.theory.metrics import sliced_wasserstein
from fmviz.theory.pair_field import PairField
from fmviz.theory.solvers import solve_ode

p_init = {mixture_code(scene, "init")}
p_data = {mixture_code(scene, "data")}
path = ProbabilityPath(p_init, p_data, schedulers.get("linear"), gamma={view.gamma!r})

torch.manual_seed({scene.seed_start})
x0, z = p_init.sample({PAIRS}), p_data.sample({PAIRS})


def coupled(method, n={view.batch}):
    parts = [
        first + minibatch_pairs(x0[first : first + n], z[first : first + n], method, regularisation={view.regularisation!r})
        for first in range(0, len(x0), n)
    ]
    return x0, z[torch.cat(parts)]


def report(name, pairs, velocity):
    start, exact = p_init.sample({scene.count}), p_data.sample({scene.count})
    print(name, "cost", round(float(transport_cost(*pairs)), 3))
    print("   straightness", round(float(straightness(velocity, start, steps=40).mean()), 4))
    for steps in (1, 4, 64):
        ends = solve_ode(velocity, start, method="euler", times=[i / steps for i in range(steps + 1)])[0][-1]
        print("   Euler steps", steps, "sliced W2 to the data", round(float(sliced_wasserstein(ends, exact)), 3))
"""


def _exact(view: Settings) -> str:
    return f"""

report("independent", (x0, z), path.marginal_velocity)
for method in ("exact", "sinkhorn"):
    pairs = coupled(method)
    report(method, pairs, PairField(*pairs, blur={BLUR}, gamma={view.gamma!r}))

plain = ProbabilityPath(p_init, p_data, schedulers.get("linear"))
pairs = reflow_pairs(plain.marginal_velocity, x0, steps={REFLOW_STEPS})
report("reflow, round 1", pairs, PairField(*pairs, blur={BLUR}, gamma={view.gamma!r}))
"""


def _networks(scene: Scene, view: Settings) -> str:
    return f"""

plain = ProbabilityPath(p_init, p_data, schedulers.get("linear"))
spec = TrainSpec(batch_size=256, ema=0.95, steps={view.steps}, seed={scene.seed_network})


def learned(spec, teacher=None):
    *_, last = train(plain, spec, every=spec.steps, teacher=teacher)
    return last.model


report("independent", (x0, z), learned(replace(spec, gamma={view.gamma!r})).sampling_velocity)
for method in ("exact", "sinkhorn"):
    coupling = dict(
        coupling=method,
        coupling_batch={min(view.batch, MOST_TRAINED)},
        coupling_regularisation={view.regularisation!r},
        gamma={view.gamma!r},
    )
    report(method, coupled(method), learned(replace(spec, **coupling)).sampling_velocity)

first = learned(spec)
next_spec = replace(next_round(spec, Reflow(pairs=4096, steps=20)), gamma={view.gamma!r})
pairs = reflow_pairs(first.sampling_velocity, x0, steps={REFLOW_STEPS})
report("reflow, round 1", pairs, learned(next_spec, first).sampling_velocity)
"""
