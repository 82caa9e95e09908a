"""Settings of the process, made before it serves anyone.

Four facts, measured on two cores (the library itself needs neither, so importing it changes nothing):

* Streamlit calls ``gc.collect(2)`` after every run of a script. With torch loaded that walks the objects of all its
  modules: about 130 ms each time with the interpreter lock held. `gc.freeze` moves what the imports left behind out of
  the collector's sight, and the same call takes less than a millisecond.
* Each thread of glibc's allocator has a heap of its own, and gives little back: with the scripts of fifty sessions that was
  half of all memory. Two heaps are enough.
* Arrays of a megabyte that come and go among small objects that stay leave holes: after two minutes of a class, as much
  again as was in use. As blocks of their own they go back to the system.
* Networks and batches here are small. A second OpenMP thread costs more in waking up than it computes, and takes
  the cores from other sessions.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import torch

__all__ = [
    "TORCH_THREADS",
    "cores",
    "one_worker",
    "prepare_process",
    "return_large_blocks",
    "return_memory",
    "share_heaps",
]

TORCH_THREADS = 1
M_MMAP_THRESHOLD, M_ARENA_MAX = -3, -8
"""The names of the settings in malloc.h."""
LARGE = 512 << 10
"""Bytes from which on a block goes back to the system when it is freed."""

_lock = threading.Lock()
_prepared = False


def prepare_process() -> bool:
    """Tune the garbage collector and torch for serving. Call it once the app's imports are done.

    Later calls do nothing, so it may stand in a script that Streamlit runs again and again: a second freeze would keep
    the garbage of running sessions forever.

    Returns:
        Whether this call was the one that did it.
    """
    global _prepared
    with _lock:
        if _prepared:
            return False
        torch.set_num_threads(TORCH_THREADS)
        share_heaps()
        return_large_blocks()
        return_memory()
        gc.collect()
        gc.freeze()
        _prepared = True
        return True


def share_heaps() -> None:
    """Lets all threads of this process share two heaps, where the allocator is glibc's."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, 2)


def return_large_blocks() -> None:
    """Keeps the arrays of pictures out of the heaps, where the small things that outlive them would hold their place (glibc)."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(M_MMAP_THRESHOLD, LARGE)


def return_memory(every: float = 20.0) -> None:
    """Starts a thread that gives what the allocator holds in reserve back to the system, again and again (glibc only)."""
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError):
        return

    def work() -> None:
        while True:
            time.sleep(every)
            trim(0)

    threading.Thread(target=work, name="fmviz-trim", daemon=True).start()


def cores() -> int:
    """How many processors this process may use, at least 1."""
    # What a container or `taskset` allows is told on Linux only.
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def one_worker(name: str) -> ThreadPoolExecutor:
    """One thread `name` for work that waits its turn. A new thread forgets how many torch threads its creator chose."""
    return ThreadPoolExecutor(1, name, initializer=lambda: torch.set_num_threads(TORCH_THREADS))
