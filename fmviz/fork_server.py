"""A process of one thread that imports what helper processes need, once, and forks them.

A helper that starts from nothing imports torch for two seconds of processor time and holds 160 MiB before it computes anything. A
forked one is there at once and shares what was imported: it adds some 10 MiB. It is forked from here and not from the process that
serves pages, whose many threads, and the locks that they hold, do not survive a fork. Not the fork server of `multiprocessing`,
whose children import the main module of their parent, which below ``streamlit run`` is the app.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import pickle
import select
import signal
import socket
import struct
import subprocess
import sys
import traceback
import weakref
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import IO, NoReturn

__all__ = ["ForkServer", "ForkedChild", "can_fork"]

_PID = struct.Struct("<i")
_LARGEST = 1 << 20
"""Bytes of the largest request: a name and the environment."""
_DRIVERS = ("/dev/nvidiactl", "/dev/kfd")
"""The devices of CUDA and of ROCm, whose drivers do not survive a fork."""


def can_fork() -> bool:
    """Whether helper processes can be forked on this machine: on Linux, without a GPU."""
    return sys.platform == "linux" and not any(Path(device).exists() for device in _DRIVERS)


class ForkedChild:
    """A child of the fork server, with the part of `subprocess.Popen` that this process needs.

    Attributes:
        pid: its number.
        stdin, stdout: the pipes to it and from it.
    """

    def __init__(self, pid: int, handle: int, stdin: IO[bytes], stdout: IO[bytes]) -> None:
        self.pid, self.stdin, self.stdout = pid, stdin, stdout
        self._handle = handle
        weakref.finalize(self, os.close, handle)

    def wait(self, timeout: float | None = None) -> None:
        """Waits until it has ended.

        Raises:
            subprocess.TimeoutExpired: after `timeout` seconds.
        """
        ended = select.poll()
        ended.register(self._handle, select.POLLIN)
        if not ended.poll(None if timeout is None else 1000.0 * timeout):
            raise subprocess.TimeoutExpired("fork", timeout or 0.0)

    def kill(self) -> None:
        """Kills it; nothing happens if it has ended."""
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._handle, signal.SIGKILL)


class ForkServer:
    """This process's side of a fork server, which leaves when this process does, however it goes; for one thread at a time.

    Args:
        environment: its environment, in which the package can be imported.
    """

    def __init__(self, environment: dict[str, str]) -> None:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "fmviz.fork_server", str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                env={**environment, "OPENBLAS_NUM_THREADS": "1"},  # NumPy's threads begin when it is imported
            )

    def fork(self, serve: str, environment: dict[str, str]) -> ForkedChild | None:
        """A new child that serves, or None where the fork server can fork none; the first one of a module waits for its import.

        Args:
            serve: as in `fmviz.processes.Process`.
            environment: that of the child.

        Raises:
            OSError: the fork server has gone.
        """
        in_theirs, in_ours = os.pipe()
        out_ours, out_theirs = os.pipe()
        with contextlib.ExitStack() as pipes:
            stdin = pipes.enter_context(os.fdopen(in_ours, "wb"))
            stdout = pipes.enter_context(os.fdopen(out_ours, "rb"))
            try:
                socket.send_fds(self._socket, [pickle.dumps((serve, environment))], [in_theirs, out_theirs])
                answer, handles, _, _ = socket.recv_fds(self._socket, _PID.size, 1)
            finally:
                os.close(in_theirs)
                os.close(out_theirs)
            if not answer:
                raise ConnectionResetError("the fork server has gone")
            if not handles:
                return None
            pipes.pop_all()  # they stay open
            return ForkedChild(_PID.unpack(answer)[0], handles[0], stdin, stdout)

    def close(self) -> None:
        """Lets it leave; its children stay."""
        self._socket.close()
        self._process.wait()


@cache
def _prepare(module: str) -> None:
    """Imports a module and calls its `prepare`, if it has one; what it cannot import, its child cannot, and tells."""
    try:
        getattr(importlib.import_module(module), "prepare", lambda: None)()
    except Exception:
        traceback.print_exc()
    gc.collect()
    gc.freeze()  # a collection would write to the pages that all children share


def _main(connection: socket.socket, run: Callable[[str], None]) -> None:
    """Forks a child for each request until the other side has gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the other side decides
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the system forgets children that have ended
    while True:
        request, pipes, _, _ = socket.recv_fds(connection, _LARGEST, 2)
        if not request:
            return
        serve, environment = pickle.loads(request)
        _prepare(serve.partition(":")[0])
        answer, handles = b"-", []
        with contextlib.suppress(OSError):
            if (
                len(os.listdir("/proc/self/task")) == 1
            ):  # a lock that another thread holds would stay locked in the child
                pid = os.fork()
                if not pid:
                    connection.close()
                    _child(serve, environment, pipes, run)
                handles = [os.pidfd_open(pid)]
                answer = _PID.pack(pid)
        socket.send_fds(connection, [answer], handles)
        for each in (*pipes, *handles):
            os.close(each)


def _child(serve: str, environment: dict[str, str], pipes: list[int], run: Callable[[str], None]) -> NoReturn:
    """Takes the pipes for its standard input and output, and serves."""
    status = 1
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for pipe, standard in zip(pipes, (0, 1), strict=True):
            os.dup2(pipe, standard)
            os.close(pipe)
        os.environ.clear()
        os.environ.update(environment)
        run(serve)
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    from fmviz.processes import run_child

    with socket.socket(fileno=int(sys.argv[1])) as _connection, contextlib.suppress(OSError):
        _main(_connection, run_child)
