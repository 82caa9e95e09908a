"""The other end of `Runner`: calls one function after the other, and tells what came."""

from __future__ import annotations

__all__ = ["CACHE_MIB", "READY", "REMEMBERED_MIB", "Answer", "Call", "prepare", "serve"]

import os
import pickle
import traceback
from dataclasses import dataclass
from typing import Any

import torch

from fmviz.errors import FmvizError
from fmviz.processes import Receive, Send
from fmviz.runtime import return_large_blocks, return_memory, share_heaps
from fmviz.theory import path_at_times

CACHE_MIB = 32
"""What a helper process keeps for its next call, at most: what is lasting is kept in the process that serves pages."""
REMEMBERED_MIB = 24
"""What the paths of a helper process remember of their times, at most."""

READY = 0
"""The number of the first answer, to no call: the process has started."""


@dataclass(frozen=True)
class Call:
    """The call `number`: a function with its arguments, pickled, so that what cannot be read spoils only this call."""

    number: int
    pickled: bytes


@dataclass(frozen=True, eq=False)
class Answer:
    """What came of the call `number`: its result, pickled, an error of the library, or the traceback of a bug."""

    number: int
    pickled: bytes | None = None
    error: FmvizError | None = None
    bug: str | None = None


def prepare() -> None:
    """One thread and little memory, for all that is called here."""
    torch.set_num_threads(1)
    share_heaps()
    return_large_blocks()
    path_at_times.REMEMBERED_BYTES = REMEMBERED_MIB << 20


def serve(receive: Receive, send: Send) -> None:
    """Answers calls until nobody is there any more."""
    prepare()
    return_memory()  # a thread, so not before the process was forked
    # Before `fmviz.cache` is imported, by the functions that are called.
    budget = os.environ.get("FMVIZ_CACHE_MIB", "").strip()
    os.environ["FMVIZ_CACHE_MIB"] = str(min(CACHE_MIB, int(budget))) if budget.isdecimal() else str(CACHE_MIB)
    send(Answer(READY))
    for call in receive:
        send(_answer(call))


def _answer(call: Call) -> Answer:
    try:
        function, arguments = pickle.loads(call.pickled)
        found: Any = function(*arguments)
        return Answer(call.number, pickle.dumps(found, protocol=5))
    except FmvizError as error:
        return Answer(call.number, error=error)
    except Exception:  # a bug: its traceback goes to the log, and the owner is told that there is no result
        return Answer(call.number, bug=traceback.format_exc())
