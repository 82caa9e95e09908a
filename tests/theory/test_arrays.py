"""What may stand for points and times: tensors, arrays, lists and numbers, by the rules of `fmviz.theory.arrays`."""

import ast
import itertools
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch.func import vmap

from fmviz import theory
from fmviz.errors import FmvizError, ParameterError
from fmviz.theory import GaussianMixture, conversions, schedulers
from fmviz.theory import sigmas as sigma_kinds
from fmviz.theory.arrays import Points, Time, arraylike
from fmviz.theory.solvers import solve_ode, solve_sde
from tests.theory.fields import DATA, FIELDS, GIVEN_Z, LINEAR, LIST, PATH, STILL, TIMES, T, X, Z

AS = {
    "list": lambda values: values,
    "array": lambda values: np.array(values),
    "read-only array": lambda values: np.broadcast_to(np.array(values), np.shape(values)),
    "array from behind": lambda values: np.array(values[::-1])[::-1],
    "array of the other byte order": lambda values: np.array(values).astype(">f8"),
    "list of arrays": lambda values: [np.array(value) for value in values],
    "list of tensors": lambda values: [torch.tensor(value, dtype=torch.float64) for value in values],
}


@pytest.mark.parametrize("kind", AS)
@pytest.mark.parametrize("name", FIELDS)
def test_a_field_takes_lists_and_arrays_for_points_and_times(name, kind):
    found, exact = FIELDS[name](AS[kind](LIST), AS[kind](TIMES)), FIELDS[name](X, T)
    assert isinstance(found, torch.Tensor)
    # These have no dtype that a plain list could take.
    single = kind == "list" and name in ("vortex", "saddle", "shear", "converted", "dialect")
    assert found.dtype == (torch.float32 if single else torch.float64)
    torch.testing.assert_close(
        found.double(), exact, rtol=1e-12 if not single else 1e-5, atol=1e-12 if not single else 1e-5
    )


@pytest.mark.parametrize("name", FIELDS)
def test_one_number_is_a_time_for_all_points(name):
    for t in (1, np.float64(1.0), np.float32(1.0), np.int64(1), torch.tensor(1.0), torch.tensor(1), [1] * 3):
        if name in ("converted", "learned score"):
            continue  # has no value at t = 1, or is held there
        torch.testing.assert_close(FIELDS[name](X, t), FIELDS[name](X, 1.0), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", GIVEN_Z)
def test_a_conditional_field_takes_lists_and_keywords(name):
    torch.testing.assert_close(GIVEN_Z[name](LIST, TIMES, Z), GIVEN_Z[name](X, T, torch.tensor(Z, dtype=X.dtype)))
    torch.testing.assert_close(GIVEN_Z[name](LIST, z=Z, t=0.5), GIVEN_Z[name](X, 0.5, torch.tensor(Z, dtype=X.dtype)))


@pytest.mark.parametrize("name", STILL)
def test_points_alone_may_be_a_list_or_an_array(name):
    for given in (LIST, np.array(LIST)):
        torch.testing.assert_close(STILL[name](given), STILL[name](X), rtol=1e-6, atol=1e-6, check_dtype=False)


# Public to the modules beside them, not to a caller: they get tensors.
WITHIN = {
    "gaussians",
    "path_at_times",
    "path_tables",
    "products",
    "given_data",
    "arrays",
    "guided_fields",
    "boxes",
    "convergence",
}
# A divergence is that of a tensor that knows where it came from; grids are read number by number; these ignore the time.
OTHERWISE = {"divergence", "prepare", "of", "weighted_sums", "variance", "diffusion"}
PLACES = {"x", "x0", "z", "xi", "y", "t", "s", "u", "start", "times", "increments"}


def undecorated(tree: ast.Module) -> list[str]:
    """The public functions and methods of a module that take points or times as they come."""
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    for node in tree.body:
        if (
            isinstance(node, ast.ClassDef)
            and not node.name.startswith("_")
            and "Protocol" not in map(ast.unparse, node.bases)
        ):
            functions += [inner for inner in node.body if isinstance(inner, ast.FunctionDef)]
    found = []
    for function in functions:
        taken = [
            argument.arg
            for argument in (*function.args.args, *function.args.kwonlyargs)
            if argument.arg in PLACES and argument.annotation and "Tensor" in ast.unparse(argument.annotation)
        ]
        private = function.name.startswith("_") and function.name != "__call__"
        decorators = {ast.unparse(decorator) for decorator in function.decorator_list}
        if (
            taken
            and not private
            and not decorators & {"arraylike", "pointwise", "abstractmethod", "abc.abstractmethod"}
        ):
            found.append(f"{function.name}({', '.join(taken)})")
    return found


@pytest.mark.parametrize("file", [*sorted(Path(theory.__file__).parent.glob("*.py"))], ids=lambda file: file.stem)
def test_every_public_function_of_points_and_times_is_decorated(file):
    if file.stem in WITHIN:
        return
    found = undecorated(ast.parse(file.read_text(encoding="utf-8")))
    assert [name for name in found if name.split("(")[0] not in OTHERWISE] == []


def test_schedules_take_lists():
    for of in (LINEAR, schedulers.custom("t", "1 - t"), schedulers.get("vp")):
        torch.testing.assert_close(of.alpha(TIMES), of.alpha(T))
        torch.testing.assert_close(of.evaluate(TIMES).beta, of.evaluate(T).beta)
    torch.testing.assert_close(sigma_kinds.get("bump")(TIMES), sigma_kinds.get("bump")(T))


def test_the_rules_of_dtype():
    single = PATH.to(torch.float32)
    x = np.array(LIST, dtype=np.float32)
    assert single.marginal_velocity(LIST, 0.5).dtype == torch.float32, "a list takes that of the path"
    assert PATH.marginal_velocity(LIST, 0.5).dtype == torch.float64
    assert PATH.marginal_velocity(x, 0.5).dtype == torch.float32, "an array keeps its own"
    assert single.marginal_velocity(np.array(LIST), 0.5).dtype == torch.float64
    assert PATH.marginal_velocity(np.array([[0, 1]]), [0.5]).dtype == torch.float64, "integers have none"
    assert single.conditional_velocity(X, 0.5, Z).dtype == torch.float64, "a list takes that of what is beside it"
    assert conversions.noise_from_score(LIST, 0.5, X, LINEAR).dtype == torch.float64
    assert LINEAR.alpha([0, 1]).dtype == LINEAR.alpha(torch.tensor([0, 1])).dtype == torch.float64, "times"
    assert solve_ode(lambda x, t: -x, LIST, 1)[0].dtype == torch.get_default_dtype()


def test_a_table_is_an_array():
    single = PATH.to(torch.float32)
    found = single.marginal_velocity(pd.DataFrame(LIST, columns=["x", "y"]), pd.Series(TIMES))
    torch.testing.assert_close(found, single.marginal_velocity(X, T))


def test_a_list_keeps_all_of_its_digits():
    assert float(DATA.log_density([[0.1, 0.3]])[0]) == float(DATA.log_density(np.array([[0.1, 0.3]]))[0])


def test_an_answer_shares_no_memory_with_what_was_given():
    x = np.array(LIST)
    t = np.array(TIMES)
    trajectory, alpha = solve_ode(lambda x, t: 0 * x, x, 1)[0], LINEAR.alpha(t)
    means = np.array(LIST)
    mixture = GaussianMixture(means, [np.eye(2)] * 3, [1, 1, 2])
    x[:], t[:], means[:] = 9.0, 9.0, 9.0
    torch.testing.assert_close(trajectory[0], X)
    torch.testing.assert_close(alpha, T)
    torch.testing.assert_close(mixture.means, X)


def test_derivatives_flow_through_points_and_lists_of_them():
    x = X.clone().requires_grad_()
    (whole,) = torch.autograd.grad(PATH.log_density(x, TIMES).sum(), x)
    (parts,) = torch.autograd.grad(PATH.log_density([x[0], x[1], x[2]], TIMES).sum(), x)
    torch.testing.assert_close(whole, PATH.marginal_score(X, T))
    torch.testing.assert_close(parts, whole)


def test_nan_stays_in_its_row_and_nothing_is_nothing():
    holed = [[0.1, -0.3], [float("nan"), 0.0], [-1.0, 0.25]]
    for name in ("velocity", "log_density", "posterior mean", "guidance", "learned velocity"):
        found, exact = FIELDS[name](holed, 0.5), FIELDS[name](X, 0.5)
        assert found[1].isnan().all(), name
        torch.testing.assert_close(found[[0, 2]], exact[[0, 2]])
    for name, empty in itertools.product(FIELDS, (np.empty((0, 2)), torch.empty(0, 2))):
        if name not in ("converted", "dialect"):  # these have three points of their own
            assert FIELDS[name](empty, 0.5).shape[0] == 0, name
    assert PATH.marginal_velocity(np.empty((0, 2)), np.empty(0)).shape == (0, 2)


def within_itself() -> list[object]:
    found: list[object] = []
    found.append(found)
    return found


NO_POINTS = {
    "a list within itself": within_itself(),
    "a generator": (row for row in LIST),
    "a dictionary": {"x": LIST},
    "a number beyond all": [[10**400, 1]],
    "text": "ab",
    "text in an array": np.array([["a", "b"]]),
    "ragged": [[1.0, 2.0], [3.0]],
    "booleans": [[True, False]],
    "a tensor of integers": torch.zeros(3, 2, dtype=torch.int64),
    "boolean tensor": torch.ones(3, 2, dtype=torch.bool),
    "complex": np.array([[1j, 0.0]]),
    "nothing": None,
    "objects": [[object(), 1.0]],
    "a number": 0.5,
    "three coordinates": [[1.0, 2.0, 3.0]],
    "an empty list": [],
    "one point of three": torch.zeros(3),
}


@pytest.mark.parametrize("kind", NO_POINTS)
@pytest.mark.parametrize("name", [*FIELDS, *GIVEN_Z, *STILL])
def test_what_is_no_points_is_refused_in_one_sentence(name, kind):
    if name in ("OU", "ODE", "SDE") and kind in (
        "three coordinates",
        "an empty list",
        "one point of three",
        "a number",
    ):
        return  # numbers of any shape
    call = (FIELDS | GIVEN_Z | STILL)[name]
    rest = (0.5, Z) if name in GIVEN_Z else (0.5,) if name in FIELDS else ()
    with pytest.raises(ParameterError, match=r"^(x|x0): expected .*, got ") as found:
        call(NO_POINTS[kind], *rest)
    assert "\n" not in str(found.value)


@pytest.mark.parametrize("t", ["noon", None, True, [True, False, True], [[0.1], [0.2, 0.3]], 1j, np.array([False] * 3)])
def test_what_is_no_time_is_refused_in_one_sentence(t):
    for name in ("velocity", "guidance", "learned velocity", "vortex", "network"):
        with pytest.raises(ParameterError, match=r"^t: expected .*, got "):
            FIELDS[name](X, t)


def test_nan_is_no_time_of_a_path():
    for t in (float("nan"), [0.1, float("nan"), 0.2], -0.1, [0.5, 1.5, 0.0]):
        with pytest.raises(ParameterError, match=r"^t: expected a time in"):
            PATH.marginal_velocity(LIST, t)


@pytest.mark.parametrize("name", [*FIELDS, *GIVEN_Z])
@pytest.mark.parametrize("x", [X, X[:1], X.expand(4, 3, 2)])
def test_a_column_of_times_beside_points_is_refused(name, x):
    """The shape that most training code has; it would give every time to every point."""
    if name in ("converted", "dialect"):
        x = X
    rest = (Z,) if name in GIVEN_Z else ()
    t = torch.full((*x.shape[:-1], 1), 0.5)
    with pytest.raises(ParameterError, match=r"(t|s): expected shape \(.*\), one time for each point") as found:
        (FIELDS | GIVEN_Z)[name](x, t, *rest)
    assert str(tuple(x.shape[:-1])) in str(found.value)
    assert found.value.key == "time_shape"


def test_draws_have_one_time_each():
    with pytest.raises(ParameterError, match="one time for each point"):
        PATH.sample(5, torch.rand(5, 1))
    with pytest.raises(ParameterError, match=r"^t: expected a shape broadcastable"):
        PATH.sample(5, torch.rand(4))
    with pytest.raises(ParameterError, match=r"^t: expected one time"):
        PATH.marginal([0.1, 0.2])
    assert PATH.sample(5, torch.rand(7, 1)).shape == (7, 5, 2)


def test_a_grid_of_times_at_all_points_is_asked_for_by_an_axis():
    exact = torch.stack([PATH.marginal_velocity(X, float(t)) for t in T])
    torch.testing.assert_close(PATH.marginal_velocity(X[None], T[:, None]), exact)
    torch.testing.assert_close(PATH.marginal_velocity([LIST], [[t] for t in TIMES]), exact)
    torch.testing.assert_close(PATH.marginal_velocity(X, T[:2, None]), exact[:2])  # two times, three points
    torch.testing.assert_close(PATH.marginal_velocity(X[0], T), exact[:, 0])


def test_what_does_not_go_together_is_named():
    with pytest.raises(ParameterError, match=r"^t: expected a shape broadcastable with \(3,\), got \(4,\)"):
        PATH.marginal_velocity(X, torch.rand(4))
    with pytest.raises(ParameterError, match=r"^z: expected a shape broadcastable"):
        PATH.conditional_velocity(X, 0.5, torch.zeros(4, 2))
    with pytest.raises(ParameterError, match=r"^x: expected a tensor on cpu, got 'meta'"):
        PATH.marginal_velocity(X.to("meta"), 0.5)
    with pytest.raises(TypeError, match="missing"):
        PATH.marginal_velocity(X)  # type: ignore[call-arg]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_lists_go_to_the_device_of_the_path():
    path = PATH.to("cuda")
    for x in (LIST, np.array(LIST), X.cuda()):
        found = path.marginal_velocity(x, TIMES)
        assert found.device.type == "cuda"
        torch.testing.assert_close(found.cpu(), PATH.marginal_velocity(X, T))
    torch.testing.assert_close(path.marginal_velocity(X.cuda(), T).cpu(), PATH.marginal_velocity(X, T))
    with pytest.raises(ParameterError, match=r"^x: expected a tensor on cuda:0, got 'cpu'"):
        path.marginal_velocity(X, 0.5)
    torch.testing.assert_close(
        vmap(lambda t: path.marginal_velocity(X.cuda(), t))(T.cuda()).cpu(), PATH.marginal_velocity(X[None], T[:, None])
    )


@pytest.mark.parametrize("method", ["euler", "heun", "rk4", "dopri5"])
def test_a_field_may_answer_in_numpy(method):
    exact, _ = solve_ode(lambda x, t: -t * x, LIST, 8, method)
    found, _ = solve_ode(lambda x, t: -t * x.numpy(), LIST, 8, method)
    torch.testing.assert_close(found, exact)
    noise = torch.Generator().manual_seed(0), torch.Generator().manual_seed(0)
    first, second = (
        solve_sde(drift, lambda t: 1.0, X, 4, generator=generator)[0]
        for drift, generator in zip((lambda x, t: -x, lambda x, t: (-x).tolist()), noise, strict=True)
    )
    torch.testing.assert_close(first, second)


def test_a_field_of_another_shape_is_named():
    for wrong in (lambda x, t: x[:, None] * x, lambda x, t: torch.zeros(3, 3, 2, dtype=x.dtype)):
        with pytest.raises(ParameterError, match=r"^velocity: expected vectors of shape \(3, 2\)"):
            solve_ode(wrong, X, 2, "euler")
        with pytest.raises(ParameterError, match=r"^drift: expected vectors of shape \(3, 2\)"):
            solve_sde(wrong, lambda t: 0.0, X, 2)
    with pytest.raises(ParameterError, match=r"^velocity: expected "):
        solve_ode(lambda x, t: "fast", X, 2)


def test_an_error_of_torch_that_has_another_cause_comes_through():
    @arraylike
    def broken(x: Points, t: Time) -> torch.Tensor:
        raise RuntimeError("something else")

    with pytest.raises(RuntimeError, match="something else"):
        broken(LIST, 0.5)


def test_an_argument_may_be_none_where_that_is_the_default():
    assert float(PATH.irreducible_loss(None, n=10, generator=torch.Generator().manual_seed(0))) > 0.0
    with pytest.raises(FmvizError):
        PATH.irreducible_loss("soon", n=10)
