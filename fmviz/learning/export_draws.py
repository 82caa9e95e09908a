"""The draws of an exported run: the same numbers in the same order as `fmviz.learning.draws` takes them."""

__all__ = ["drawn_names", "draws_source"]

from fmviz.learning.draws import steps_together
from fmviz.learning.pairing import USES, groups_in
from fmviz.learning.spec import TrainSpec
from fmviz.theory import ProbabilityPath
from fmviz.theory.couplings import SINKHORN_ITERATIONS, SINKHORN_TOLERANCE


def drawn_names(spec: TrainSpec) -> tuple[str, ...]:
    """What the script's `batches` yields for each step."""
    noise = ("xi",) if spec.gamma else ()
    label = ("label",) if spec.label_dropout is not None else ()
    return ("t", "z", "eps", *noise, *label)


def draws_source(path: ProbabilityPath, spec: TrainSpec) -> str:
    """The functions `sample` and `batches`, and what they need."""
    labelled, coupled = spec.label_dropout is not None, spec.coupling != "independent"
    shape = "GROUPS, N" if coupled else "CHUNK, BATCH"
    sample = _SAMPLE.format(
        shape=shape,
        noise=shape.replace(",", ", 2,"),
        no_component=f", torch.zeros({shape}, dtype=torch.int64, device=DEVICE)" if labelled else "",
        component=", k" if labelled else "",
    )
    standard, data_standard = path.p_init.is_standard, path.p_data.is_standard
    lines = [f"t = {_TIMES[spec.t_sampling]}", "t = (T_LOW + (T_HIGH - T_LOW) * t)[..., None]"]
    if labelled:
        lines.append(f"(z, k), (eps, _) = sample(P_DATA, {data_standard}), sample(P_INIT, {standard})")
    else:
        lines.append(f"z, eps = sample(P_DATA, {data_standard}), sample(P_INIT, {standard})")
    if coupled:
        lines += _IN_TURN_LABELLED if labelled else _IN_TURN
    if spec.gamma:
        lines.append("xi = torch.randn(CHUNK, 2, BATCH, generator=draws, device=DEVICE).mT")
    if labelled:
        lines.append("left_out = torch.rand(CHUNK, BATCH, generator=draws, device=DEVICE) < DROPOUT")
        lines.append('label = P_DATA["labels"].to(DEVICE)[k].masked_fill(left_out, -1)[..., None]')
    lines.append(f"yield from zip({', '.join(drawn_names(spec))})")
    parts = [f"GAMMA = {spec.gamma!r}  # of the noise in between\n"] if spec.gamma else []
    if coupled:
        parts.append(_coupling(spec, groups_in((steps_together(path, spec), spec.batch_size), spec), labelled))
    body = "".join(f"        {line}\n" for line in lines)
    return "\n\n".join([*parts, sample.strip("\n") + "\n", f"def batches():\n    while True:\n{body}"])


def _coupling(spec: TrainSpec, groups: int, labelled: bool) -> str:
    entropic = spec.coupling == "sinkhorn"
    source = _PARTNERS.format(
        batch=spec.coupling_batch,
        groups=groups,
        uses=USES,
        entropic=_ENTROPIC.format(
            regularisation=spec.coupling_regularisation, iterations=SINKHORN_ITERATIONS, tolerance=SINKHORN_TOLERANCE
        )
        if entropic
        else "",
    )
    return source + (_WITHIN if labelled else "")


_TIMES = {
    "uniform": "torch.rand(CHUNK, BATCH, generator=draws, device=DEVICE)",
    "stratified": "(torch.arange(BATCH, device=DEVICE) + torch.rand(CHUNK, BATCH, generator=draws, device=DEVICE)) / BATCH",
    "logit_normal": "torch.randn(CHUNK, BATCH, generator=draws, device=DEVICE).sigmoid()",
}

_SAMPLE = """
def sample(mixture, standard):
    if not standard:
        uniform = torch.rand({shape}, generator=draws, device=DEVICE)
    noise = torch.randn({noise}, generator=draws, device=DEVICE).mT
    if standard:
        return noise{no_component}
    bounds = mixture["weights"].double().cumsum(0)[:-1].float().to(DEVICE)
    k = torch.bucketize(uniform, bounds, right=True)
    factors = torch.linalg.cholesky(mixture["covariances"].double()).float().to(DEVICE)
    return mixture["means"].to(DEVICE)[k] + (factors[k] @ noise[..., None])[..., 0]{component}
"""

_PARTNERS = """\
N, GROUPS, USES = {batch}, {groups}, {uses}  # mini-batches of N pairs, so many for a chunk, each pair used so often


def on_the_cpu():  # chance where pairs are found
    if DEVICE == "cpu":
        return draws
    return torch.Generator().manual_seed(int(torch.randint(2**31, (1,), generator=draws, device=DEVICE)))


def partners(x0, z, chance):  # (n, 2) each, on the CPU; which z each x0 is paired with
    n = len(x0)
    if n == 1:
        return torch.randperm(1, generator=chance)
    costs = torch.cdist(x0.double(), z.double(), compute_mode="donot_use_mm_for_euclid_dist").square()
    mass = torch.full((n,), 1.0 / n, dtype=torch.float64)
{entropic}    return ot.emd(mass, mass, costs, numItermax=1_000_000).argmax(dim=1)
"""

_ENTROPIC = """\
    scale = {regularisation!r} * costs.mean().clamp(min=torch.finfo(torch.float64).tiny)
    found = ot.sinkhorn(mass, mass, costs, float(scale), method="sinkhorn_log", numItermax={iterations}, stopThr={tolerance},
                        warn=False, log=True)[1]
    potential = costs / scale - found["log_u"][:, None] - found["log_v"]
    uniform = torch.rand(n, n, generator=chance, dtype=torch.float64)
    costs = potential + (-uniform.clamp(min=1e-300).log()).log()  # minus the logarithm of the plan, minus Gumbel noise
    costs = costs - costs.min()
"""

_WITHIN = """

def within(x0, z, labels, chance):  # the same, within each label
    dealt = torch.randperm(N, generator=chance)
    index = torch.empty_like(dealt)
    for label in sorted(set(labels.tolist())):
        own = (labels == label).nonzero()[:, 0]
        starts, dealt = dealt[: len(own)], dealt[len(own) :]
        index[starts] = own[partners(x0[starts], z[own], chance)]
    return index
"""

_ORDER = [
    "orders = [torch.randperm(GROUPS * N, generator=draws, device=DEVICE) for _ in range(-(-CHUNK * BATCH // (GROUPS * N)))]",
    "order = torch.cat(orders)[: CHUNK * BATCH].view(CHUNK, BATCH)",
    "z, eps = z.flatten(0, 1)[order], eps.flatten(0, 1)[order]",
]
_IN_TURN = [
    "chance = on_the_cpu()",
    "index = torch.stack([partners(a, b, chance) for a, b in zip(eps.cpu(), z.cpu())]).to(DEVICE)",
    "z = z.gather(1, index[..., None].expand_as(z))",
    *_ORDER,
]
_IN_TURN_LABELLED = [
    "chance = on_the_cpu()",
    'groups = zip(eps.cpu(), z.cpu(), P_DATA["labels"][k.cpu()])',
    "index = torch.stack([within(a, b, labels, chance) for a, b, labels in groups]).to(DEVICE)",
    "z, k = z.gather(1, index[..., None].expand_as(z)), k.gather(1, index)",
    *_ORDER,
    "k = k.flatten()[order]",
]
