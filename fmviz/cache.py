"""One cache for whatever a scene determines, shared by all sessions: a class looks at the same scene.

Results of all functions marked with `shared` lie in one place, bounded in bytes, where the least recently used goes first.
Sessions that ask for the same result at the same time wait for one computation of it.
"""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial, wraps
from types import FunctionType, MethodType, ModuleType
from typing import Any, ParamSpec, Protocol, TypeVar, cast

from cachetools import LRUCache, cached
from cachetools.keys import hashkey

from fmviz import settings

__all__ = ["Cache", "Shared", "shared", "size_of"]

_log = logging.getLogger(__name__)

REPORT_EVERY = 60.0
"""Seconds between two lines in the log, at least."""

P = ParamSpec("P")
R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)


@dataclass(frozen=True)
class _Kept:
    """A result with its size in bytes, that of the arguments it is found by included."""

    name: str
    value: Any
    size: int


class Shared(Protocol[P, R_co]):
    """A function whose results are kept."""

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R_co:
        """The result, computed unless it is kept."""

    def kept(self, *args: P.args, **kwargs: P.kwargs) -> R_co | None:
        """The result if it is kept, else None; computes nothing."""

    def keep(self, value: Any, *args: P.args, **kwargs: P.kwargs) -> None:
        """Keeps a result that was computed elsewhere."""

    def cache_clear(self) -> None:
        """Forget the results of this function."""


class Cache:
    """Results of any number of functions, all together at most `budget` bytes."""

    def __init__(self, budget: int) -> None:
        self._results: LRUCache[Any, _Kept] = LRUCache(budget, getsizeof=lambda kept: kept.size)
        self._changed = threading.Condition()
        self._silent_until = 0.0

    def shared(self, function: Callable[P, R]) -> Shared[P, R]:
        """Keeps the results of a pure function.

        Its arguments must be hashable, and nobody may change what it returns. An error is not kept. A result larger than
        the whole budget is returned but not kept.

        Example:
            >>> @Cache(10_000).shared
            ... def squares(n: int) -> tuple[int, ...]:
            ...     return tuple(i * i for i in range(n))
            >>> squares(3) is squares(3)
            True
        """
        name = f"{function.__module__}.{function.__qualname__}"

        key = partial(hashkey, function)

        def compute(*args: Any, **kwargs: Any) -> _Kept:
            value = function(*args, **kwargs)
            self._report()
            return _Kept(name, value, size_of((args, kwargs, value)))

        find = cached(self._results, key=key, condition=self._changed)(compute)

        @wraps(function)
        def found(*args: P.args, **kwargs: P.kwargs) -> R:
            value: R = find(*args, **kwargs).value
            return value

        def kept(*args: Any, **kwargs: Any) -> R | None:
            with self._changed:
                one = self._results.get(key(*args, **kwargs))
            return None if one is None else one.value

        def keep(value: R, *args: Any, **kwargs: Any) -> None:
            one = _Kept(name, value, size_of((args, kwargs, value)))
            with self._changed, suppress(ValueError):  # larger than the whole budget
                self._results[key(*args, **kwargs)] = one
            self._report()

        def cache_clear() -> None:
            with self._changed:
                for key in [key for key in self._results if key[0] is function]:
                    del self._results[key]

        for more in (kept, keep, cache_clear):
            setattr(found, more.__name__, more)
        return cast(Shared[P, R], found)

    def contents(self) -> dict[str, tuple[int, int]]:
        """By function, the number of its results and their size in bytes, the largest first."""
        counts: Counter[str] = Counter()
        sizes: Counter[str] = Counter()
        with self._changed:
            for kept in self._results.values():
                counts[kept.name] += 1
                sizes[kept.name] += kept.size
        return {name: (counts[name], size) for name, size in sizes.most_common()}

    def _report(self) -> None:
        now = time.monotonic()
        if now < self._silent_until:
            return
        self._silent_until = now + REPORT_EVERY
        found = self.contents()
        largest = ", ".join(
            f"{name.removeprefix('fmviz.')} {size / 2**20:.1f} MiB in {count}"
            for name, (count, size) in list(found.items())[:5]
        )
        total = sum(size for _, size in found.values()) / 2**20
        _log.info("cache: %.0f of %.0f MiB; %s", total, self._results.maxsize / 2**20, largest)


_of_the_process = Cache(settings.cache_bytes())
shared = _of_the_process.shared
"""Keeps the results of a pure function for all sessions of this process, see `Cache.shared`."""


_NO_DATA = (type, FunctionType, MethodType, ModuleType, type(threading.Lock()), type(threading.RLock()))


def size_of(value: object) -> int:
    """The size of `value` in bytes with everything that it holds; what is met twice counts once.

    Arrays and tensors count whole, also where they are views of others.
    """
    seen: set[int] = set()
    todo, total = [value], 0
    while todo:
        one = todo.pop()
        if id(one) in seen or one is None or isinstance(one, _NO_DATA):
            continue
        seen.add(id(one))
        content = getattr(one, "nbytes", None)
        if isinstance(content, int):
            total += content + 100
            continue
        total += sys.getsizeof(one)
        if isinstance(one, (str, bytes, bytearray, int, float)):
            continue
        if isinstance(one, Mapping):
            todo += [*one.keys(), *one.values()]
        elif isinstance(one, (list, tuple, set, frozenset)):
            todo += one
        else:
            todo += getattr(one, "__dict__", {}).values()
            todo += [getattr(one, slot, None) for slot in getattr(type(one), "__slots__", ())]
    return total
