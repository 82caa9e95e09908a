"""Helper processes that are forked by one which has imported what they need, and those that start from nothing."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from queue import Queue
from typing import Any

import pytest

from fmviz import fork_server, processes
from fmviz.processes import Process, Receive, Send
from tests.waiting import until

pytestmark = pytest.mark.skipif(not fork_server.can_fork(), reason="helper processes are forked on Linux without a GPU")
HERE = "tests.test_fork_server:tell"


def tell(receive: Receive, send: Send) -> None:
    """What a child is asked about itself."""
    for name in receive:
        send(os.environ.get(name) if isinstance(name, str) else os.getppid())


@pytest.fixture(autouse=True)
def own_server() -> Iterator[None]:
    """A fork server of this test alone."""
    before, processes._fork_server = processes._fork_server, None
    yield
    if processes._fork_server is not None:
        processes._fork_server.close()
    processes._fork_server = before


class Child:
    """A process of `HERE`, what it has said, and whether it has gone."""

    def __init__(self, serve: str = HERE) -> None:
        self.heard: Queue[Any] = Queue()
        self.gone = threading.Event()
        self.process = Process(serve, self.heard.put, self.gone.set)

    def asked(self, what: str | None = None) -> Any:
        self.process.send(what)
        return self.heard.get(timeout=60)


@pytest.fixture
def child() -> Iterator[Child]:
    found = Child()
    yield found
    found.process.end()


def runs(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def test_children_are_forked_by_one_server_which_is_not_this_process(child: Child) -> None:
    other = Child()
    server = child.asked()
    assert server not in (os.getpid(), 1)
    assert other.asked() == server
    assert other.process.pid != child.process.pid
    other.process.end()
    assert not runs(other.process.pid)
    assert not other.gone.is_set(), "it was asked to leave"
    assert runs(server)


@pytest.mark.parametrize("serve", ["fmviz.learning.worker:serve", "fmviz.tasks.worker:serve"])
def test_the_helpers_of_the_app_can_be_forked(serve: str) -> None:
    helper = Process(serve, lambda message: None, lambda: None)
    assert Path(f"/proc/{helper.pid}/cmdline").read_bytes().split(b"\0")[2] == b"fmviz.fork_server"
    helper.end()


def test_a_child_has_the_environment_of_now(monkeypatch: pytest.MonkeyPatch) -> None:
    for value in ("1", "2"):
        monkeypatch.setenv("FMVIZ_TEST", value)
        child = Child()
        assert child.asked("FMVIZ_TEST") == value
        child.process.end()


def test_a_killed_child_is_noticed(child: Child) -> None:
    child.asked()
    os.kill(child.process.pid, signal.SIGKILL)
    assert child.gone.wait(30)
    until(lambda: not runs(child.process.pid))


def test_children_outlive_their_server_and_the_next_one_gets_another(child: Child) -> None:
    server = child.asked()
    os.kill(server, signal.SIGKILL)
    assert processes._fork_server is not None
    processes._fork_server._process.wait()
    other = Child()
    assert other.asked() not in (server, os.getpid())
    assert runs(child.process.pid)
    other.process.end()


def test_where_nothing_can_be_forked_a_child_starts_from_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "can_fork", lambda: False)
    child = Child()
    assert child.asked() == os.getpid()
    child.process.end()
    assert not runs(child.process.pid)
    assert processes._fork_server is None


def test_a_module_that_starts_a_thread_is_not_forked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lock that the thread holds would stay locked in the child."""
    text = "import os, threading\nthreading.Thread(target=threading.Event().wait, daemon=True).start()\n"
    (tmp_path / "with_a_thread.py").write_text(f"{text}def serve(receive, send):\n    send(os.getppid())\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    child = Child("with_a_thread:serve")
    assert child.heard.get(timeout=60) == os.getpid()
    child.process.end()
    assert processes._fork_server is not None, "it has said so, and is not started anew"


def test_a_module_that_cannot_be_imported_ends_its_child(capfd: pytest.CaptureFixture[str]) -> None:
    child = Child("fmviz.nothing_of_this_name:serve")
    assert child.gone.wait(60)
    assert "nothing_of_this_name" in capfd.readouterr().err


def test_a_child_that_is_ended_while_it_starts_leaves() -> None:
    child = Child()
    child.process.end(patience=0.0)
    until(lambda: not runs(child.process.pid))
    assert not child.gone.is_set()


@pytest.mark.parametrize(
    ("platform", "device", "forks"), [("linux", "", True), ("linux", "/dev", False), ("darwin", "", False)]
)
def test_a_gpu_or_another_system_forks_nothing(
    platform: str, device: str, forks: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(fork_server, "_DRIVERS", (device or "/dev/no such device",))
    assert fork_server.can_fork() is forks
