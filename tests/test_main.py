"""The command `fmviz`: one clear line for whatever keeps it from serving."""

import socket
import subprocess
import sys

import pytest

from fmviz import __main__ as command
from fmviz import __version__


@pytest.fixture
def served(monkeypatch):
    """The options that Streamlit would get."""
    options: list[str] = []
    monkeypatch.setattr(command, "_serve", options.extend)
    return options


def free() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_version_and_help_need_no_torch():
    run = [sys.executable, "-X", "importtime", "-m", "fmviz", "--version"]
    done = subprocess.run(run, capture_output=True, text=True, check=True)
    assert done.stdout == f"fmviz {__version__}\n"
    assert " torch\n" not in done.stderr


def test_options_reach_streamlit_and_those_not_given_stay_its_own(served, monkeypatch, capsys):
    port = free()
    command.main([f"--port={port}", "--address=127.0.0.1", "--no-open"])
    assert served == [f"--server.port={port}", "--server.address=127.0.0.1", "--server.headless=true"]
    assert f"http://127.0.0.1:{port}" in capsys.readouterr().out
    served.clear()
    monkeypatch.setenv("STREAMLIT_SERVER_PORT", str(port))
    command.main([])
    assert served == [f"--server.port={port}", "--server.address=localhost"]


def test_a_port_in_use_is_one_clear_line(served, capsys):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(SystemExit) as ended:
            command.main([f"--port={port}", "--address=127.0.0.1"])
    assert ended.value.code == 1
    assert capsys.readouterr().err == f"fmviz: port {port} at 127.0.0.1 is in use; choose another with --port\n"
    assert served == []


@pytest.mark.parametrize("port", ["0", "65536", "-1", "http", "8501.5"])
def test_a_port_that_is_none_is_explained(served, capsys, port):
    with pytest.raises(SystemExit):
        command.main([f"--port={port}"])
    assert "a port is a number from 1 to 65535" in capsys.readouterr().err


def test_a_port_of_the_environment_that_is_none_is_explained_as_well(served, capsys, monkeypatch):
    monkeypatch.setenv("STREAMLIT_SERVER_PORT", "http")
    with pytest.raises(SystemExit):
        command.main([])
    assert "a port is a number from 1 to 65535" in capsys.readouterr().err


def test_an_address_that_is_none_is_explained(served, capsys):
    with pytest.raises(SystemExit):
        command.main(["--address=no such host"])
    assert "has no address 'no such host'" in capsys.readouterr().err
