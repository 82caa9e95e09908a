"""A run as one Python file that needs nothing but PyTorch and draws the same numbers.

The script is meant to be read: a module of linear layers, a plain loop, autograd. It takes the same random numbers in the
same order as `fmviz.learning.draws` (a chunk of steps at a time), on the same device, since the numbers
differ between kinds of devices, and the same initial weights, so that its losses agree with those of the run up to rounding.
Every number of the path is written out; a typed schedule is translated from its checked syntax tree, never pasted.
"""

__all__ = ["training_script"]

import ast

from torch import Tensor

from fmviz.errors import ParameterError
from fmviz.learning import objectives
from fmviz.learning.devices import pick_device
from fmviz.learning.draws import steps_together
from fmviz.learning.export_draws import drawn_names, draws_source
from fmviz.learning.networks import FREQUENCIES
from fmviz.learning.optimizers import MOMENTUM
from fmviz.learning.spec import TrainSpec
from fmviz.theory import GaussianMixture, ProbabilityPath, schedulers
from fmviz.theory.schedulers import Scheduler


def training_script(path: ProbabilityPath, spec: TrainSpec) -> str:
    """Python source of exactly this run, importing only torch and the standard library; POT as well where pairs are coupled.

    Run as ``python train.py [steps]`` it prints one line "step loss" per step and saves the weights at the end. A learning rate
    that was changed on the way is not in ``spec``, and so not in the script.

    Args:
        path: what is learned.
        spec: how; "auto" is written as the device that it stands for on this machine.

    Raises:
        ParameterError: the objective is not defined on this path, its scheduler cannot be written as code, or the run is a
            classifier or a reflow.
    """
    objectives.require_trainable(path, spec)
    if spec.classify is not None:
        raise ParameterError("classify", "None: classifiers have no script", spec.classify)
    if spec.reflow is not None:
        raise ParameterError(
            "reflow", "None: it begins with another network, which a script does not hold", spec.reflow
        )
    built = objectives.architecture(path, spec)
    limits = objectives.time_range(path, spec)
    parts = [
        _HEAD.format(
            needs="PyTorch only" if spec.coupling == "independent" else "PyTorch and POT",
            ot="" if spec.coupling == "independent" else "import ot  # POT, pip install POT\n",
            saves=f"the average of the weights, of decay {spec.ema!r}" if spec.ema else "the weights of the last step",
            objective=spec.objective,
            seed=spec.seed,
            steps=spec.steps,
            batch=spec.batch_size,
            rate=spec.learning_rate,
            warm=spec.warm_up,
            hidden=spec.hidden,
            low=limits[0],
            high=limits[1],
            chunk=steps_together(path, spec),
            centre=built.centre,
            input_scale=built.input_scale,
            output_scale=built.output_scale,
            frequencies=FREQUENCIES if spec.time_features == "fourier" else (),
            labels=""
            if spec.label_dropout is None
            else _LABELS.format(labels=built.labels, dropout=spec.label_dropout),
            device=pick_device("auto").type if spec.device == "auto" else spec.device,
        ),
        f"P_DATA = {_mixture(path.p_data, labelled=bool(built.labels))}\nP_INIT = {_mixture(path.p_init)}\n",
        _scheduler(path.scheduler),
        _network(spec),
        draws_source(path, spec),
        _MARGINAL if spec.objective == "fm" else "",
        _LOOP.format(
            regression=_regression(spec),
            optimizer=_optimizer(spec),
            schedule=_SCHEDULES[spec.schedule],
            clip="" if spec.gradient_clip is None else _CLIP.format(clip=spec.gradient_clip),
            ema="" if not spec.ema else _EMA.format(ema=spec.ema),
            ema_start="" if not spec.ema else _EMA_START,
            saved="average" if spec.ema else "network",
            label_name=", label" if built.labels else "",
            drawn=", ".join(drawn_names(spec)),
            between=" + GAMMA * middle * xi" if spec.gamma else "",
            middle=_MIDDLE if spec.gamma else "",
        ),
    ]
    return "\n\n".join(part.strip("\n") for part in parts if part) + "\n"


def _network(spec: TrainSpec) -> str:
    """The network; one that is fed labels has an input for each, 1 for the label that is given."""
    source = _NETWORK.format(activation=_ACTIVATIONS[spec.activation])
    if spec.label_dropout is None:
        return source
    for plain, labelled in (
        ("(3 + 2 * len(FREQUENCIES), *HIDDEN, 2)", "(3 + 2 * len(FREQUENCIES) + len(LABELS), *HIDDEN, 2)"),
        ("def forward(self, x, t):  # (..., 2) and (..., 1)", _FORWARD),
        ("*(a.cos() for a in turns)], dim=-1)", "*(a.cos() for a in turns), given], dim=-1)"),
    ):
        source = source.replace(plain, labelled)
    return source


def _mixture(law: GaussianMixture, *, labelled: bool = False) -> str:
    def listed(values: Tensor) -> str:
        return repr(values.tolist())

    lines = [
        f"    {name}=torch.tensor({listed(getattr(law, name).float())}),"
        for name in ("means", "covariances", "weights")
    ]
    if labelled:
        lines.append(f"    labels=torch.tensor({law.labels.tolist()}),")
    return "dict(\n" + "\n".join(lines) + "\n)"


def _scheduler(scheduler: Scheduler) -> str:
    match scheduler:
        case schedulers.Linear():
            alpha, beta, slopes = "t", "1 - t", ("torch.ones_like(t)", "-torch.ones_like(t)")
        case schedulers.SquareRoot():
            alpha, beta, slopes = "t", "(1 - t).sqrt()", ("torch.ones_like(t)", "-0.5 / beta")
        case schedulers.Trigonometric():
            alpha, beta = "(math.pi / 2 * t).sin()", "(math.pi / 2 * (1 - t)).sin()"
            slopes = ("math.pi / 2 * beta", "-math.pi / 2 * alpha")
        case schedulers.Polynomial(exponent=n):
            alpha, beta = f"t ** {n!r}", f"-torch.expm1({n!r} * t.log())"
            slopes = (f"{n!r} * t ** {n - 1.0!r}", f"-{n!r} * t ** {n - 1.0!r}")
        case schedulers.VariancePreserving(b0=b0, b1=b1):
            alpha = f"(-0.25 * {b1 - b0!r} * (1 - t) ** 2 - 0.5 * {b0!r} * (1 - t)).exp()"
            beta = f"(-torch.expm1(-0.5 * {b1 - b0!r} * (1 - t) ** 2 - {b0!r} * (1 - t))).sqrt()"
            rate = f"(0.5 * {b1 - b0!r} * (1 - t) + 0.5 * {b0!r})"
            slopes = (f"alpha * {rate}", f"-alpha * alpha * {rate} / beta")
        case schedulers.Custom(alpha_text=alpha_text, beta_text=beta_text):
            return _CUSTOM.format(alpha=_formula(alpha_text), beta=_formula(beta_text))
        case _:
            raise ParameterError("path.scheduler", "a scheduler of fmviz.theory.schedulers", type(scheduler).__name__)
    return _SCHEDULER.format(alpha=alpha, beta=beta, d_alpha=slopes[0], d_beta=slopes[1])


class _InTorch(ast.NodeTransformer):
    """A formula's functions and constants in torch's names; `schedulers.Custom` has let nothing else through."""

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if node.id in ("pi", "e"):
            return ast.Attribute(ast.Name("math"), node.id)
        return node

    def visit_Call(self, node: ast.Call) -> ast.expr:
        names = {"min": "minimum", "max": "maximum"}
        function = node.func.id if isinstance(node.func, ast.Name) else ""
        arguments: list[ast.expr] = [
            ast.Call(ast.Name("number"), [self.visit(argument), ast.Name("t")], []) for argument in node.args
        ]
        return ast.Call(ast.Attribute(ast.Name("torch"), names.get(function, function)), arguments, [])


def _formula(text: str) -> str:
    return ast.unparse(_InTorch().visit(ast.parse(text.strip(), mode="eval")))


def _regression(spec: TrainSpec) -> str:
    match spec.objective:
        case "cfm" if spec.gamma:
            return "factor, target = 1.0, d_alpha * z + d_beta * eps + 0.5 * GAMMA * (1 - 2 * t) / middle * xi"
        case "cfm":
            return "factor, target = 1.0, d_alpha * z + d_beta * eps  # never (beta' / beta) x: no digits near t = 1"
        case "fm":
            return "factor, target = 1.0, marginal_velocity(x, t)"
        case "noise":
            return "factor, target = 1.0, eps"
        case "data":
            return "factor, target = 1.0, z"
        case "score" if spec.score_weighting == "beta_squared":
            return "factor, target = beta, -eps  # beta^2 |s + eps / beta|^2"
        case "score":
            return "factor, target = 1.0, -eps / beta"


def _optimizer(spec: TrainSpec) -> str:
    match spec.optimizer:
        case "adam":
            return "torch.optim.Adam(network.parameters(), lr=LEARNING_RATE)"
        case "adamw":
            return f"torch.optim.AdamW(network.parameters(), lr=LEARNING_RATE, weight_decay={spec.weight_decay!r})"
        case _:
            return f"torch.optim.SGD(network.parameters(), lr=LEARNING_RATE, momentum={MOMENTUM!r})"


_ACTIVATIONS = {"silu": "SiLU", "relu": "ReLU", "tanh": "Tanh", "gelu": "GELU"}
_SCHEDULES = {
    "constant": "1.0",
    "cosine": "0.5 * (1 + math.cos(math.pi * (step - warm) / (STEPS - warm)))",
}

_HEAD = '''
"""Trains the network of an fmviz run ({objective}): python train.py [steps]. Needs {needs}.

Time runs from t = 0 (noise, p_init) to t = 1 (data, p_data); x_t = alpha z + beta eps. weights.pt holds {saves}.
"""

import copy
import math
import sys

{ot}import torch

DEVICE = "{device}"  # that of the run; write "cpu", "cuda" or "mps", but each draws other numbers
SEED, STEPS, BATCH, LEARNING_RATE, WARM_UP = {seed}, {steps}, {batch}, {rate!r}, {warm!r}
HIDDEN = {hidden}
T_LOW, T_HIGH = {low!r}, {high!r}
CHUNK = {chunk}  # steps whose batches are drawn together
CENTRE, INPUT_SCALE, OUTPUT_SCALE = {centre!r}, {input_scale!r}, {output_scale!r}
FREQUENCIES = {frequencies!r}  # half turns of the Fourier features of t
{labels}'''

_LABELS = "LABELS, DROPOUT = {labels!r}, {dropout!r}  # of the data; how often a label is left out"

_FORWARD = """def forward(self, x, t, label):  # (..., 2), (..., 1) and (..., 1) integers, -1 for no label
        given = (label == torch.tensor(LABELS, device=x.device)).float()"""

_SCHEDULER = """
def scheduler(t):
    alpha = {alpha}
    beta = {beta}
    return alpha, beta, {d_alpha}, {d_beta}
"""

_CUSTOM = """
def number(value, t):
    return value if isinstance(value, torch.Tensor) else t.new_tensor(float(value))


def scheduler(t):
    with torch.enable_grad():
        t = t.detach().clone().requires_grad_()
        alpha = ({alpha}) + torch.zeros_like(t)
        beta = ({beta}) + torch.zeros_like(t)
        (d_alpha,) = torch.autograd.grad(alpha.sum(), t, retain_graph=True)
        (d_beta,) = torch.autograd.grad(beta.sum(), t)
    return alpha.detach(), beta.detach(), d_alpha, d_beta
"""

_NETWORK = """
class Network(torch.nn.Module):
    def __init__(self, generator):
        super().__init__()
        widths = (3 + 2 * len(FREQUENCIES), *HIDDEN, 2)
        self.layers = torch.nn.ModuleList(torch.nn.Linear(a, b) for a, b in zip(widths, widths[1:]))
        for layer in self.layers:
            rows, columns = layer.out_features, layer.in_features + 1
            drawn = (2 * torch.rand(rows * columns, generator=generator) - 1) / math.sqrt(columns - 1)
            drawn = drawn.view(rows, columns)  # weights, then the bias as a last column
            layer.weight.data, layer.bias.data = drawn[:, :-1].clone(), drawn[:, -1].clone()
        self.activation = torch.nn.{activation}()

    def forward(self, x, t):  # (..., 2) and (..., 1)
        centre = torch.tensor(CENTRE, device=x.device)
        turns = [math.pi * k * t for k in FREQUENCIES]
        h = torch.cat([(x - centre) / INPUT_SCALE, t, *(a.sin() for a in turns), *(a.cos() for a in turns)], dim=-1)
        for layer in self.layers[:-1]:
            h = self.activation(layer(h))
        return OUTPUT_SCALE * self.layers[-1](h)
"""

_MARGINAL = '''
def marginal_velocity(x, t):
    """E[d/dt x_t | x_t = x], exactly, as everything is Gaussian given the pair of components."""
    here = "cpu" if DEVICE == "mps" else DEVICE  # mps has no float64
    point, t = x.to(here).double(), t.to(here).double()
    j, k = len(P_INIT["weights"]), len(P_DATA["weights"])
    laws = [{name: value.double().to(here) for name, value in law.items()} for law in (P_DATA, P_INIT)]
    mu, sigma = laws[0]["means"].repeat(j, 1), laws[0]["covariances"].repeat(j, 1, 1)
    m, s = laws[1]["means"].repeat_interleave(k, 0), laws[1]["covariances"].repeat_interleave(k, 0)
    log_weights = (laws[1]["weights"].log()[:, None] + laws[0]["weights"].log()).flatten()
    alpha, beta, d_alpha, d_beta = (value[..., None] for value in scheduler(t))  # (B, 1, 1)
    mean, speed = alpha * mu + beta * m, d_alpha * mu + d_beta * m
    covariance = (alpha**2)[..., None] * sigma + (beta**2)[..., None] * s
    cross = (alpha * d_alpha)[..., None] * sigma + (beta * d_beta)[..., None] * s
    miss = (point[:, None] - mean)[..., None]
    solved = torch.linalg.solve(covariance, miss)
    logits = log_weights - 0.5 * (torch.logdet(covariance) + (miss * solved).sum((-2, -1)))
    return (logits.softmax(-1)[..., None] * (speed + (cross @ solved)[..., 0])).sum(1).to(x)
'''

_CLIP = """
        norm = torch.cat([p.grad.flatten() for p in network.parameters()]).norm()
        for p in network.parameters():
            p.grad.mul_({clip!r} / norm.clamp(min={clip!r}))"""

_EMA_START = """
    average = copy.deepcopy(network)"""

_EMA = """
        decay = min({ema!r}, (step + 1) / (step + 11))
        with torch.no_grad():
            for kept, p in zip(average.parameters(), network.parameters()):
                kept.lerp_(p, 1 - decay)"""

_MIDDLE = """
        middle = (t * (1 - t)).sqrt()"""

_LOOP = """
def learning_rate(step):
    warm = WARM_UP * STEPS
    if step < warm:
        return LEARNING_RATE * (step + 1) / (warm + 1)
    return LEARNING_RATE * {schedule}


def train(steps):
    network = Network(torch.Generator().manual_seed(SEED)).to(DEVICE)
    optimizer = {optimizer}{ema_start}
    for step, ({drawn}) in zip(range(steps), batches()):
        optimizer.param_groups[0]["lr"] = learning_rate(step)
        alpha, beta, d_alpha, d_beta = scheduler(t){middle}
        x = alpha * z + beta * eps{between}
        {regression}
        loss = (factor * network(x, t{label_name}) - target).square().sum(-1).mean()
        optimizer.zero_grad()
        loss.backward(){clip}
        optimizer.step(){ema}
        print(step + 1, loss.item())
    return {saved}


if __name__ == "__main__":
    draws = torch.Generator(DEVICE).manual_seed(SEED)
    trained = train(int(sys.argv[1]) if len(sys.argv) > 1 else STEPS)
    torch.save(trained.state_dict(), "weights.pt")
"""
