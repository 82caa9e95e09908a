"""Everything that takes points, and perhaps times and z, with points and times to call it with."""

import torch

from fmviz.learning.model import LearnedModel
from fmviz.learning.networks import MLP, Architecture
from fmviz.theory import GaussianMixture, ProbabilityPath, conversions, dialects, flows, metrics, presets, schedulers
from fmviz.theory import sigmas as sigma_kinds
from fmviz.theory.checks import continuity_residual
from fmviz.theory.conservation import moving_conditional, terms
from fmviz.theory.couplings import minibatch_pairs, transport_cost
from fmviz.theory.dialect_path import DialectPath
from fmviz.theory.guidance import Guidance
from fmviz.theory.likelihood import flow_likelihood
from fmviz.theory.pair_field import PairField
from fmviz.theory.processes import Langevin, OrnsteinUhlenbeck
from fmviz.theory.solvers import solve_ode, solve_sde

LIST = [[0.1, -0.3], [1.5, 2.0], [-1.0, 0.25]]
TIMES = [0.2, 0.5, 0.9]
Z = [0.5, -0.5]
DATA = presets.get("two_modes").to(torch.float64)
PATH = ProbabilityPath(GaussianMixture.standard(dtype=torch.float64), DATA, schedulers.get("linear"))
X = torch.tensor(LIST, dtype=torch.float64)
T = torch.tensor(TIMES, dtype=torch.float64)


def model() -> LearnedModel:
    plan = Architecture((8,))
    weights = plan.initial_weights(torch.Generator().manual_seed(0)).double()
    return LearnedModel(MLP(plan, weights), "velocity", schedulers.get("linear"), True)


MODEL, LINEAR = model(), schedulers.get("linear")
EDM = dialects.get("edm")

# Everything that takes points, and perhaps times and z: called with lists, it must say what it says to tensors.
FIELDS = {
    "log_density": PATH.log_density,
    "velocity": PATH.marginal_velocity,
    "score": PATH.marginal_score,
    "velocity and score": lambda x, t: PATH.velocity_and_score(x, t)[1],
    "posterior": PATH.posterior,
    "classifier": PATH.classifier,
    "posterior mean": PATH.posterior_mean,
    "covariance": PATH.target_covariance_trace,
    "drift": PATH.sde_drift(sigma_kinds.get("constant")),
    "guidance": Guidance(PATH, 1, 2.0).velocity,
    "guided score": Guidance(PATH, 1, 2.0).score,
    "weight rate": Guidance(PATH, 1, 2.0).weight_rate,
    "tilted": Guidance(PATH, 1, 2.0).log_tilted,
    "vortex": flows.Vortex(1.0).velocity,
    "saddle": flows.Saddle(1.0).flow,
    "shear": flows.Shear(1.0).velocity,
    "marginal": flows.Marginal(PATH).velocity,
    "dialect path": DialectPath(DATA, EDM).score,
    "dialect noise": DialectPath(DATA, EDM).noise,
    "learned velocity": MODEL.velocity,
    "learned score": MODEL.sampling_score,
    "network": MODEL.network,
    "converted": lambda x, t: conversions.score_from_velocity(x, t, LIST, LINEAR),
    "dialect": lambda x, t: EDM.convert(LIST, x, t, predicts="noise", to="data"),
}
GIVEN_Z = {
    "conditional velocity": PATH.conditional_velocity,
    "conditional score": PATH.conditional_score,
    "conditional density": PATH.conditional_log_density,
    "conditional flow": PATH.conditional_flow,
}
STILL = {
    "density": DATA.log_density,
    "score": DATA.score,
    "responsibilities": DATA.responsibilities,
    "Langevin": lambda x: Langevin(DATA, 1.0).drift(x, 0.0),
    "OU": lambda x: OrnsteinUhlenbeck(1.0, 1.0).drift(x, 0.0),
    "energy": lambda x: metrics.energy_distance(x, LIST[:2]),
    "likelihood": lambda x: flow_likelihood(PATH.marginal_velocity, PATH.p_init, x, 0.5, times=[0.0, 0.5, 1.0]).value,
    "transport": lambda x: transport_cost(x, LIST[::-1]),
    "pairs": lambda x: minibatch_pairs(x, LIST[::-1]),
    "pair field": lambda x: PairField(LIST, LIST[::-1], 0.3).velocity(x, 0.5),
    "ODE": lambda x: solve_ode(PATH.marginal_velocity, x, 4)[0],
    "SDE": lambda x: solve_sde(lambda y, t: -y, lambda t: 0.0, x, 4)[0],
    "exact flow": lambda x: flows.exact_flow(flows.Rotation(1.0), x, [0.0, 1.0]),
    "continuity": lambda x: continuity_residual(PATH, x, 0.5).density_rate,
    "terms": lambda x: terms(moving_conditional(PATH, Z, [0.2, 0.5]), x, [0.0, 0.5]).rate,
}
