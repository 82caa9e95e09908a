r"""What a caller may give for points and times, and how it becomes a tensor.

Every public function of `fmviz.theory` and `fmviz.learning` takes a tensor, a NumPy array (or anything that NumPy reads as
one), or a nested list for its points x and its times t, and for t also a number. Answers are tensors. The rules:

1. A floating tensor is used as it is: its dtype, its device and its place in a graph of derivatives stay. A tensor of integers
   is no tensor of points: which dtype would the answer have? As times it is read in float64.
2. An array keeps its floating dtype, and so does a list of arrays, tensors or numbers of NumPy. Plain lists and arrays of integers
   have none: as points these take the dtype of the first floating tensor or array beside them in the call, else that of the
   mixture, path or network that is asked, else torch's default. Times among them are read in float64.
3. What is not a tensor goes to the device of the tensor beside it, else of the mixture, path or network. A tensor of points
   on another device than theirs raises; it is never moved unasked. A tensor of times is moved.
4. Answers have the dtype of x, and lie on its device.
5. Arrays and lists are copied, so an answer never shares memory with them.
6. Booleans, complex numbers, text and ragged lists raise `ParameterError`. Points that are nan give nan, in their row alone.

Times are broadcast against the batch axes of the points, ``x.shape[:-1]``: to N points (N, 2) belong N times (N,), and a
column of times (T, 1) beside one row of points (1, N, 2) gives all T x N. Times (N, 1) beside points (N, 2), as training code
writes one time for each point, would give N x N and raise; T times (T, 1) beside (N, 2) with another T are the grid.

`torch.func.vmap` maps fields over x, t or both: one call with one more axis takes the place of the many.

`arraylike` and `pointwise` read the annotations of a function: it is enough to write `Points`, `Numbers`, `Time` or `Times`.
"""

__all__ = ["Numbers", "Points", "Time", "TimeGrid", "Times", "arraylike", "as_numbers", "one_time", "pointwise"]

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Annotated, Any, NamedTuple, ParamSpec, TypeVar, cast, get_args

import torch
from torch import Tensor

from fmviz.errors import ParameterError

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True)
class _Kind:
    """How an argument is read.

    Attributes:
        is_time: whether it is a time.
        last: the length of the last axis of points; None for any shape.
        stays_float: whether a number stays a float instead of becoming a tensor without axes.
        aligned: whether a time must broadcast with the points beside it.
    """

    is_time: bool = False
    last: int | None = None
    stays_float: bool = False
    aligned: bool = True


# `Tensor | Any`: a caller may pass anything, and the body may use it as the tensor that `arraylike` makes of it.
Points = Annotated[Tensor | Any, _Kind(last=2)]
"""Points in the plane, (..., 2)."""
Numbers = Annotated[Tensor | Any, _Kind()]
"""Numbers of any shape."""
Time = Annotated[float | Tensor | Any, _Kind(is_time=True, stays_float=True)]
"""A time: a number, or anything broadcastable to the batch axes of the points; the body sees a float or a tensor."""
Times = Annotated[Tensor | Any, _Kind(is_time=True)]
"""The same, but the body always sees a tensor, in float64 if it was a number."""
TimeGrid = Annotated[Tensor | Any, _Kind(is_time=True, aligned=False)]
"""Times of a grid of its own, (T,), whatever points stand beside it; the body sees a tensor."""

_BY_NAME: dict[str, Any] = {"Points": Points, "Numbers": Numbers, "Time": Time, "Times": Times, "TimeGrid": TimeGrid}
_DEEPEST = 64
"""So many axes an array of NumPy has at most."""
_WANTED = "a tensor, an array or a nested list of real numbers"


def arraylike(function: Callable[P, R]) -> Callable[P, R]:
    """`function`, with what stands for its points and times made tensors, and refused where it is none.

    Of a method, points without a dtype or a device take the `dtype` and `device` of the object, if it has them.
    """
    return _decorated(function, maps=False)


def pointwise(function: Callable[P, R]) -> Callable[P, R]:
    """The same for a field: its answer, a tensor or a tuple of tensors, has the broadcast batch axes of points and times first.

    Such a function can be mapped by `torch.func.vmap`: the axis that is mapped becomes one more axis of points and times.
    """
    return _decorated(function, maps=True)


def as_numbers(name: str, value: Any, like: Tensor | None = None) -> Tensor:
    """A floating tensor of a tensor, an array or a nested list, of any shape.

    Args:
        name: of the parameter.
        value: what was given.
        like: whose dtype and device it takes where it has none; None for torch's defaults.

    Raises:
        ParameterError: it is not made of real numbers.
    """
    dtype, device = (torch.get_default_dtype(), None) if like is None else (like.dtype, like.device)
    return cast(Tensor, _read(name, value, _Kind(), dtype, device, integers=True))


def one_time(name: str, t: Time) -> float:
    """A single time as a float.

    Raises:
        ParameterError: there are several, or none.
    """
    if isinstance(t, Tensor) and t.numel() != 1:
        raise ParameterError(name, "one time", f"shape {tuple(t.shape)}", key="time_shape")
    return float(t)


class _Slot(NamedTuple):
    """A parameter that is points or a time: its place and its name in the signature, how it is read, and whether None is allowed."""

    place: int
    name: str
    kind: _Kind
    optional: bool


def _decorated(function: Callable[P, R], maps: bool) -> Callable[P, R]:
    parameters = inspect.signature(function).parameters
    slots = tuple(
        _Slot(place, name, kind, parameter.default is None)
        for place, (name, parameter) in enumerate(parameters.items())
        if (kind := _kind(parameter.annotation)) is not None
    )
    least = max(slot.place for slot in slots) + 1
    is_method = next(iter(parameters)) == "self"
    has_points = any(not slot.kind.is_time for slot in slots)
    # The place, whether a float is ready, whether axes want a look at the points beside it, the length of the last axis.
    looks = tuple((place, k.stays_float, k.is_time and has_points, k.last or 0) for place, _, k, _ in slots)
    transformed = torch._C._are_functorch_transforms_active

    def is_ready(args: tuple[Any, ...]) -> bool:
        if len(args) < least:
            return False
        for place, takes_float, flat, last in looks:
            value = args[place]
            kind = type(value)
            if kind is Tensor:
                if not value.is_floating_point() or (flat and value.ndim):
                    return False
                if last and (value.ndim == 0 or value.size(-1) != last):
                    return False
            elif kind is not float or not takes_float:
                return False
        return True

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        mapped = maps and transformed() and _maps()
        here: tuple[Any, ...] = args
        named: dict[str, Any] = kwargs
        if mapped or not is_ready(args):
            read = _read_all(slots, args, kwargs, args[0] if is_method else None)
            if mapped:
                return cast(R, _mapped(call, slots, read, args, kwargs))
            here, named = _replaced(slots, read, args, kwargs)
        try:
            return function(*here, **named)
        except RuntimeError:
            _explain(slots, here, named)
            raise

    return call


def _kind(annotation: Any) -> _Kind | None:
    """How an annotation wants its argument read; None for no points and no time."""
    if isinstance(annotation, str):  # of a module that postpones the evaluation of its annotations
        annotation = _BY_NAME.get(annotation.removesuffix(" | None"))
    for option in (annotation, *get_args(annotation)):
        for mark in getattr(option, "__metadata__", ()):
            if isinstance(mark, _Kind):
                return mark
    return None


# ------------------------------------------------------------------- reading


def _given(slots: Sequence[_Slot], args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """What was passed for each slot, without those left to their defaults and those that may be None and are."""
    found = {}
    for slot in slots:
        if slot.place < len(args):
            found[slot.name] = args[slot.place]
        elif slot.name in kwargs:
            found[slot.name] = kwargs[slot.name]
    return {
        slot.name: found[slot.name]
        for slot in slots
        if slot.name in found and not (slot.optional and found[slot.name] is None)
    }


def _replaced(
    slots: Sequence[_Slot], read: Mapping[str, Any], args: Sequence[Any], kwargs: Mapping[str, Any]
) -> tuple[Any, Any]:
    """The arguments, with those that were read in their places."""
    places = {slot.place: read[slot.name] for slot in slots if slot.name in read}
    named = {name: read.get(name, value) for name, value in kwargs.items()}
    return tuple(places.get(place, value) for place, value in enumerate(args)), named


def _read_all(slots: Sequence[_Slot], args: Sequence[Any], kwargs: Mapping[str, Any], owner: Any) -> dict[str, Any]:
    given = _given(slots, args, kwargs)
    points = [given[slot.name] for slot in slots if not slot.kind.is_time and slot.name in given]
    dtype, device = getattr(owner, "dtype", None) or torch.get_default_dtype(), getattr(owner, "device", None)
    tensors = [value for value in points if isinstance(value, Tensor)]
    if tensors:
        device = tensors[0].device
    floating = [found for value in points if (found := _floating_dtype(value)) is not None]
    if floating:
        dtype = floating[0]
    read = {
        slot.name: _read(slot.name, given[slot.name], slot.kind, dtype, device) for slot in slots if slot.name in given
    }
    places = [value for slot in slots if not slot.kind.is_time and isinstance(value := read.get(slot.name), Tensor)]
    for slot in slots:
        time = read.get(slot.name)
        if slot.kind.is_time and slot.kind.aligned and isinstance(time, Tensor) and time.ndim:
            for x in places:
                _check_time(slot.name, time, x)
    return read


def _floating_dtype(value: Any) -> torch.dtype | None:
    """The dtype of a floating tensor, array or number of NumPy, or of the first in a list of them."""
    for _ in range(_DEEPEST):
        if not isinstance(value, list | tuple) or not value:
            break
        value = value[0]
    if isinstance(value, Tensor):
        return value.dtype if value.is_floating_point() else None
    name = getattr(getattr(value, "dtype", None), "name", "")
    found = getattr(torch, _HELD_BY.get(name, name), None) if name else None
    return found if isinstance(found, torch.dtype) and found.is_floating_point else None


def _read(
    name: str, value: Any, kind: _Kind, dtype: torch.dtype, device: torch.device | None, *, integers: bool = False
) -> Any:
    """One argument: a tensor, or a float for a number that stays one. With `integers` a tensor of them is converted too."""
    if kind.stays_float and not isinstance(value, bool) and isinstance(value, Real):
        return float(value)
    own = _floating_dtype(value)
    tensor = _tensor(name, value)
    if own is None and hasattr(value, "__array__") and tensor.is_floating_point():  # a table, which shows no dtype
        own = tensor.dtype
    given = isinstance(value, Tensor)
    fits = kind.last is None or (tensor.ndim > 0 and tensor.shape[-1] == kind.last)
    real = tensor.dtype != torch.bool and not tensor.is_complex()
    if not (fits and real) or (given and own is None and not kind.is_time and not integers):
        wanted = "a floating tensor" if given and not kind.is_time else _WANTED
        shape = "" if kind.last is None else f" of shape (..., {kind.last})"
        got = f"{str(tensor.dtype).removeprefix('torch.')} {tuple(tensor.shape)}"
        raise ParameterError(name, wanted + shape, got, key="array")
    found = own or (torch.float64 if kind.is_time else dtype)
    return tensor.to(found) if given and not kind.is_time else tensor.to(device or tensor.device, found)


def _tensor(name: str, value: Any) -> Tensor:
    """A tensor on the CPU of what is none, in float64 or integers where it has no dtype of its own."""
    if isinstance(value, Tensor):
        return value
    if isinstance(value, str | bytes):
        raise ParameterError(name, _WANTED, value, key="array")
    if _holds_tensors(name, value):
        parts = [_tensor(name, part) for part in value]
        if any(part.shape != parts[0].shape for part in parts):
            raise ParameterError(name, f"{_WANTED}, all rows of one length", value, key="array")
        return torch.stack(parts)
    import numpy as np  # here: who gives tensors needs none

    try:
        array = np.array(value)  # a copy: what is given may be read-only, or change later
    except (TypeError, ValueError, RuntimeError):
        raise ParameterError(name, f"{_WANTED}, all rows of one length", value, key="array") from None
    if array.dtype.kind not in "fiub":
        raise ParameterError(name, _WANTED, value, key="array")
    return torch.from_numpy(array.astype(_HELD_BY.get(array.dtype.name, array.dtype.name), order="C", copy=False))


def _holds_tensors(name: str, value: Any, depth: int = 0) -> bool:
    if not isinstance(value, list | tuple):
        return False
    if depth == _DEEPEST:
        raise ParameterError(name, _WANTED, "lists within lists without end", key="array")
    return any(isinstance(part, Tensor) or _holds_tensors(name, part, depth + 1) for part in value)


# Dtypes that torch has not, or not in full, by name, and what holds their numbers.
_HELD_BY = {"longdouble": "float64", "float128": "float64", "uint16": "int64", "uint32": "int64", "uint64": "int64"}


# ------------------------------------------------------------------ complaints


def _check_time(name: str, time: Tensor, x: Tensor) -> None:
    """Refuse times that do not belong to the points."""
    batch, shape = tuple(x.shape[:-1]), tuple(time.shape)
    if batch and shape == (*batch, 1):
        wanted = f"shape {batch}, one time for each point (or x of shape {(1, *batch, x.shape[-1])}, for all times at all points)"
        raise ParameterError(name, wanted, shape, key="time_shape")
    if not _broadcastable(batch, shape):
        raise ParameterError(name, f"a shape broadcastable with {batch}", shape, key="time_shape")


def _broadcastable(one: Sequence[int], other: Sequence[int]) -> bool:
    return all(a == b or 1 in (a, b) for a, b in zip(reversed(one), reversed(other), strict=False))


def _explain(slots: Sequence[_Slot], args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
    """Say in one sentence what torch could not do, where the arguments show it: devices or shapes that do not go together."""
    given = _given(slots, args, kwargs)
    tensors = [(slot.name, given[slot.name]) for slot in slots if not slot.kind.is_time and slot.name in given]
    if not tensors:
        return
    (first, x), device = tensors[0], getattr(args[0], "device", None)
    home = device if isinstance(device, torch.device) else x.device
    for name, value in tensors:
        if value.device != home:
            raise ParameterError(name, f"a tensor on {home}", str(value.device), key="array") from None
        if not _broadcastable(value.shape[:-1], x.shape[:-1]):
            raise ParameterError(
                name, f"a shape broadcastable with that of {first}, {tuple(x.shape)}", tuple(value.shape), key="array"
            ) from None


# ----------------------------------------------------------------------- vmap


def _maps() -> bool:
    """Whether the innermost transform of `torch.func` is vmap; within the others a function runs as it is."""
    functorch = torch._C._functorch
    return bool(functorch.peek_interpreter_stack().key() == functorch.TransformType.Vmap)


def _mapped(
    function: Callable[..., Any], slots: Sequence[_Slot], read: Mapping[str, Any], args: Any, kwargs: Any
) -> Any:
    names = tuple(read)
    kinds = {slot.name: slot.kind for slot in slots}

    def run(*values: Any) -> Any:
        here, named = _replaced(slots, dict(zip(names, values, strict=True)), args, kwargs)
        return function(*here, **named)

    return _Mapped.apply(run, tuple(kinds[name] for name in names), *read.values())  # type: ignore[no-untyped-call]


class _Mapped(torch.autograd.Function):
    """A call whose arguments vmap maps: made once, with the mapped axis in front of all others."""

    @staticmethod
    def forward(run: Callable[..., Any], kinds: Sequence[_Kind], *values: Any) -> Any:
        return run(*values)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        """Nothing is kept: derivatives are those of the one call."""

    @staticmethod
    def vmap(
        info: Any, in_dims: Sequence[int | None], run: Callable[..., Any], kinds: Sequence[_Kind], *values: Any
    ) -> tuple[Any, Any]:
        # Of each argument the axes that vmap does not show, then those of its own batch, filled up to the longest of them.
        own = [
            value.ndim - (dim is not None) - (not kind.is_time) if isinstance(value, Tensor) else 0
            for value, kind, dim in zip(values, kinds, in_dims[2:], strict=True)
        ]
        moved = []
        for value, dim, rank in zip(values, in_dims[2:], own, strict=True):
            if isinstance(value, Tensor):
                value = value.unsqueeze(0) if dim is None else value.movedim(dim, 0)
                value = value.reshape(value.shape[0], *(1,) * (max(own) - rank), *value.shape[1:])
            moved.append(value)
        answer = run(*moved)
        return answer, tuple(0 for _ in answer) if isinstance(answer, tuple) else 0
