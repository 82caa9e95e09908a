"""Serve a Streamlit script on a free port for as long as a ``with`` block lasts: for the browser tests and the bench."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["ROOT", "ServerError", "free_port", "serve", "start", "stop", "wait"]

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 90
STOP_SECONDS = 10


class ServerError(RuntimeError):
    """The server did not come up; the message ends with its log."""


def free_port() -> int:
    """A port that nobody uses now."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


@contextmanager
def serve(script: str | Path, log: Path, root: Path = ROOT, *more: str) -> Iterator[str]:
    """Yields the address of `script`, run from `root`, a checkout (so with its configuration); its output goes to `log`.

    `more` are options of ``streamlit run``.

    Raises:
        ServerError: it did not answer in time.
    """
    server, url = start(script, log, root, *more)
    try:
        yield url
    finally:
        stop(server)


def start(
    script: str | Path, log: Path, root: Path = ROOT, *more: str, port: int | None = None, **settings: str
) -> tuple[subprocess.Popen[bytes], str]:
    """A server, once it answers, and its address. Arguments as in `serve`; `settings` are environment variables.

    Raises:
        ServerError: it did not answer in time.
    """
    port = port or free_port()
    url = f"http://127.0.0.1:{port}"
    options = ("--server.headless=true", "--server.address=127.0.0.1", f"--server.port={port}", *more)
    with log.open("w") as out:
        server = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", str(script), *options],
            cwd=root,
            env={**os.environ, "PYTHONPATH": str(root), **settings},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    wait(server, f"{url}/_stcore/health", str(script), log)
    return server, url


def wait(server: subprocess.Popen[bytes], health: str, name: str, log: Path) -> None:
    """Waits until a server answers at the address `health`.

    Raises:
        ServerError: it has ended, or did not answer in time; it is stopped then.
    """
    deadline = time.monotonic() + START_SECONDS
    while not _answers(health):
        if server.poll() is not None or time.monotonic() > deadline:
            stop(server)
            raise ServerError(f"{name} did not start.\n{log.read_text()[-4000:]}")
        time.sleep(0.2)


def stop(server: subprocess.Popen[bytes]) -> None:
    """Ends a server."""
    server.terminate()
    try:
        server.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait(STOP_SECONDS)


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=1) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
