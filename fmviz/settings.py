"""What whoever runs a server may choose, read from environment variables whose names begin with FMVIZ_."""

from __future__ import annotations

import os

from fmviz.errors import ParameterError

__all__ = ["cache_bytes"]


def cache_bytes() -> int:
    """FMVIZ_CACHE_MIB, the largest size of all kept results together: here in bytes, there in MiB; 256 MiB if not set.

    Raises:
        ParameterError: not a whole number from 0 to a million.
    """
    return _whole_number("FMVIZ_CACHE_MIB", 256, 0, 1_000_000) << 20


def _whole_number(name: str, default: int, low: int, high: int) -> int:
    text = os.environ.get(name, "").strip() or str(default)
    value = int(text) if text.isdecimal() and len(text) < 10 else -1
    if not low <= value <= high:
        raise ParameterError(name, f"a whole number from {low} to {high}", text)
    return value
