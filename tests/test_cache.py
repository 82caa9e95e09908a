"""One cache for all sessions: each result computed once, all together within a bound in bytes."""

import logging
import threading
from dataclasses import dataclass

import numpy as np
import pytest
import torch

from fmviz import settings
from fmviz.cache import Cache, size_of
from fmviz.errors import ParameterError

MIB = 1 << 20


def test_a_result_is_computed_once_and_is_the_same_object():
    calls = []

    @Cache(MIB).shared
    def doubled(x):
        calls.append(x)
        return [x, x]

    assert doubled(1) is doubled(1)
    assert doubled(2) == [2, 2]
    assert calls == [1, 2]


def test_sessions_that_ask_at_the_same_time_wait_for_one_computation():
    calls, begun, go_on = [], threading.Event(), threading.Event()

    @Cache(MIB).shared
    def slow(x):
        calls.append(x)
        begun.set()
        assert go_on.wait(10)
        return object()

    found = []
    threads = [threading.Thread(target=lambda: found.append(slow(0))) for _ in range(5)]
    for thread in threads:
        thread.start()
    assert begun.wait(10)
    go_on.set()
    for thread in threads:
        thread.join()
    assert calls == [0]
    assert len(set(map(id, found))) == 1


def test_all_functions_share_one_bound_and_the_least_recently_used_goes_first():
    cache, calls = Cache(MIB), []

    @cache.shared
    def floats(name):
        calls.append(name)
        return torch.zeros(80_000)  # 320 kB, so that three fit

    @cache.shared
    def bytes_(name):
        calls.append(name)
        return b"x" * 320_000

    floats("a"), bytes_("b"), floats("c")
    floats("a")
    bytes_("d")  # takes the place of "b"
    calls.clear()
    floats("a"), floats("c"), bytes_("d")
    assert calls == []
    bytes_("b")
    assert calls == ["b"]
    assert sum(size for _, size in cache.contents().values()) <= MIB


def test_a_result_larger_than_the_bound_and_an_error_are_not_kept():
    cache, calls = Cache(1000), []

    @cache.shared
    def large(n):
        calls.append(n)
        if n < 0:
            raise ParameterError("n", "positive", n)
        return b"x" * n

    assert len(large(2000)) == len(large(2000)) == 2000
    for _ in range(2):
        with pytest.raises(ParameterError):
            large(-1)
    assert calls == [2000, 2000, -1, -1]
    assert cache.contents() == {}


def test_one_function_can_be_forgotten():
    cache = Cache(MIB)
    first, second = cache.shared(lambda x: [x]), cache.shared(lambda x: (x, x))
    kept, other = first(1), second(1)
    first.cache_clear()
    assert first(1) is not kept
    assert second(1) is other


def test_a_result_from_elsewhere_is_kept_like_one_computed_here():
    cache, calls = Cache(MIB), []

    @cache.shared
    def doubled(x):
        calls.append(x)
        return [x, x]

    assert doubled.kept(1) is None
    doubled.keep(found := [1, 1], 1)
    assert doubled.kept(1) is doubled(1) is found
    assert doubled(2) is doubled.kept(2)
    assert calls == [2]
    doubled.cache_clear()
    assert doubled.kept(1) is None


def test_a_result_from_elsewhere_larger_than_the_bound_is_not_kept():
    large = Cache(1000).shared(lambda n: b"x" * n)
    large.keep(b"x" * 2000, 2000)
    assert large.kept(2000) is None


def test_what_it_holds_is_told_in_the_log(caplog):
    cache = Cache(MIB)

    @cache.shared
    def picture(x):
        return b"x" * (MIB // 2)

    caplog.set_level(logging.INFO, "fmviz.cache")
    picture(0)
    cache._silent_until = 0.0
    picture(1)
    assert "0 of 1 MiB" in caplog.messages[0]
    assert "picture 0.5 MiB in 1" in caplog.messages[1]


@dataclass
class _Held:
    values: object
    again: object


@pytest.mark.parametrize(
    ("value", "least"),
    [
        (torch.zeros(1000), 4000),
        (np.zeros((10, 10)), 800),
        (b"x" * 5000, 5000),
        ({"a": [torch.zeros(100), (np.zeros(100), "text")]}, 1200),
        (_Held(torch.zeros(500), None), 2000),
    ],
)
def test_sizes_count_what_is_held(value, least):
    assert least <= size_of(value) <= least + 2000


def test_what_is_met_twice_counts_once():
    array = np.zeros(100_000)
    assert size_of(_Held(array, array)) < 1.1 * array.nbytes


def test_the_bound_comes_from_the_environment(monkeypatch):
    monkeypatch.delenv("FMVIZ_CACHE_MIB", raising=False)
    assert settings.cache_bytes() == 128 * MIB
    monkeypatch.setenv("FMVIZ_CACHE_MIB", "64")
    assert settings.cache_bytes() == 64 * MIB
    for wrong in ("-1", "much", "1e9", "99999999999999"):
        monkeypatch.setenv("FMVIZ_CACHE_MIB", wrong)
        with pytest.raises(ParameterError, match="FMVIZ_CACHE_MIB"):
            settings.cache_bytes()
