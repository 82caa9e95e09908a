"""A helper process: another Python on this machine that does long work, so that the interpreter that serves pages does none.

The two talk in pickled messages over the child's standard input and output. When this process ends, however it ends, the
child's input closes and the child leaves. Where the system allows it, the child is forked by a process that has imported all it
needs (`fmviz.fork_server`); elsewhere it starts from nothing.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import pickle
import signal
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import SimpleQueue
from typing import IO, Any

from fmviz.fork_server import ForkedChild, ForkServer, can_fork

__all__ = ["Process", "Receive", "Send", "run_child"]

Send = Callable[[Any], None]
"""Sends a message to the other side; may be called from any thread."""
Receive = Iterator[Any]
"""The messages of the other side, until it has gone."""

NICENESS = 10
"""How far the child stands back behind the process that serves pages."""
_END = object()
_LENGTH = struct.Struct("<Q")


class Process:
    """A child process that runs ``serve(receive, send)``. It is started in a thread: this one does not wait for it.

    Args:
        serve: the function to run, as ``"package.module:function"``. A function `prepare` of its module, which takes nothing and
            may be called twice, makes ready what all children share.
        hear: called with each message of the child, in a thread of its own.
        gone: called once in that thread when the child has ended without being asked to.
    """

    def __init__(self, serve: str, hear: Callable[[Any], None], gone: Callable[[], None]) -> None:
        self._serve, self._hear, self._gone = serve, hear, gone
        self._ending = False
        self._started = threading.Event()
        # Written by a thread of its own: a full pipe holds up nobody here, so that the two sides cannot wait for each other.
        self._outbox: SimpleQueue[object] = SimpleQueue()
        threading.Thread(target=self._listen, name="fmviz-hear", daemon=True).start()

    @property
    def pid(self) -> int:
        """The child's number; waits until it has been started."""
        self._started.wait()
        return self._child.pid

    def send(self, message: object) -> None:
        """Sends a message, and does not wait; one to a child that has just ended is lost, and `gone` is called."""
        self._outbox.put(message)

    def end(self, patience: float = 1.0) -> None:
        """Asks the child to leave, and sees that it does; one that is still being started will leave by itself."""
        self._ending = True
        self._outbox.put(_END)
        if not self._started.wait(patience):
            return
        try:
            self._child.wait(patience)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()

    def _write(self) -> None:
        assert self._child.stdin is not None
        with contextlib.suppress(OSError), self._child.stdin:
            while (message := self._outbox.get()) is not _END:
                _write(self._child.stdin, message)

    def _listen(self) -> None:
        self._child = _forked(self._serve) or _spawned(self._serve)
        self._started.set()
        threading.Thread(target=self._write, name="fmviz-tell", daemon=True).start()
        assert self._child.stdout is not None
        with self._child.stdout:
            for message in _read(self._child.stdout):
                self._hear(message)
        self._child.wait()
        self._outbox.put(_END)
        if not self._ending:
            self._gone()


_fork_server: ForkServer | None = None
_fork_server_lock = threading.Lock()


def _environment() -> dict[str, str]:
    root = str(Path(__file__).resolve().parents[1])
    return {**os.environ, "PYTHONPATH": os.pathsep.join([root, *filter(None, [os.environ.get("PYTHONPATH")])])}


def _forked(serve: str) -> ForkedChild | None:
    """A child of the fork server of this process, which is started anew if it has gone; None where that does not work."""
    global _fork_server
    if not can_fork():
        return None
    with _fork_server_lock:
        for _ in range(2):
            with contextlib.suppress(OSError):
                _fork_server = _fork_server or ForkServer(_environment())
                return _fork_server.fork(serve, _environment())
            if _fork_server is not None:
                _fork_server.close()
                _fork_server = None
    return None


def _spawned(serve: str) -> subprocess.Popen[bytes]:
    """A child that imports everything itself."""
    command = [sys.executable, "-m", "fmviz.processes", serve]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=_environment())


def _write(file: IO[bytes], message: object) -> None:
    data = pickle.dumps(message, protocol=5)
    file.write(_LENGTH.pack(len(data)) + data)
    file.flush()


def _read(file: IO[bytes]) -> Iterator[Any]:
    while len(head := file.read(_LENGTH.size)) == _LENGTH.size:
        (length,) = _LENGTH.unpack(head)
        data = file.read(length)
        if len(data) < length:
            return
        yield pickle.loads(data)


def run_child(serve: str) -> None:
    """The child: what it prints goes to the log, as only messages may go where the parent listens."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    lock = threading.Lock()

    def send(message: object) -> None:
        with lock, contextlib.suppress(OSError):
            _write(out, message)

    inbox: SimpleQueue[Any] = SimpleQueue()

    def receive() -> None:
        for message in _read(os.fdopen(0, "rb", closefd=False)):
            inbox.put(message)
        os._exit(0)  # whatever it is doing, nobody wants it any more

    # Before anything else is imported: a child whose parent goes meanwhile goes too.
    threading.Thread(target=receive, name="fmviz-receive", daemon=True).start()
    module, function = serve.split(":")
    getattr(importlib.import_module(module), function)(iter(inbox.get, _END), send)


if __name__ == "__main__":
    run_child(sys.argv[1])
