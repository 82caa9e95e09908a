"""What whoever runs a server may choose, read from environment variables whose names begin with FMVIZ_."""

from __future__ import annotations

import os

from fmviz.errors import ParameterError

__all__ = ["cache_bytes", "cluster_address", "helpers", "most_sessions"]


def cache_bytes() -> int:
    """FMVIZ_CACHE_MIB, the largest size of all kept results together: here in bytes, there in MiB; 128 MiB if not set.

    Raises:
        ParameterError: not a whole number from 0 to a million.
    """
    return _whole_number("FMVIZ_CACHE_MIB", 128, 0, 1_000_000) << 20


def cluster_address() -> str | None:
    """FMVIZ_DASK, the address of the scheduler of a dask cluster that trains what sweeps ask for; None if not set."""
    return os.environ.get("FMVIZ_DASK", "").strip() or None


def most_sessions() -> int:
    """FMVIZ_MAX_SESSIONS, the most browser tabs that one server takes at once; 150 if not set.

    Raises:
        ParameterError: not a whole number from 1 to 100000.
    """
    return _whole_number("FMVIZ_MAX_SESSIONS", 150, 1, 100_000)


def helpers(default: int) -> int:
    """FMVIZ_HELPERS, the most processes that measure what pages show; with 0 the process that serves pages does it itself.

    Raises:
        ParameterError: not a whole number from 0 to 64.
    """
    return _whole_number("FMVIZ_HELPERS", default, 0, 64)


def _whole_number(name: str, default: int, low: int, high: int) -> int:
    text = os.environ.get(name, "").strip() or str(default)
    value = int(text) if text.isdecimal() and len(text) < 10 else -1
    if not low <= value <= high:
        raise ParameterError(name, f"a whole number from {low} to {high}", text)
    return value
