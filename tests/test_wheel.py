"""The wheel is the app: built, installed into an environment of its own, and served from an empty folder."""

import hashlib
import os
import subprocess
import sys
import sysconfig
import time
import urllib.request
import venv
import zipfile
from pathlib import Path

import pytest

from fmviz import __version__
from fmviz.home import HOME
from fmviz.lessons import LESSONS
from tools.serve import free_port, stop

pytestmark = pytest.mark.slow


def build(folder: Path) -> Path:
    run = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(run, cwd=HOME, check=True, capture_output=True, timeout=100)
    (wheel,) = folder.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    return build(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Path:
    """An environment with the wheel; what the wheel depends on comes from this one, without the checkout."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    run = [str(python), "-m", "pip", "install", "-q", "--no-deps", "--no-index", str(wheel)]
    subprocess.run(run, check=True, timeout=100)
    (site,) = folder.glob("lib/python*/site-packages")
    # A folder named in a .pth file is searched, and its own .pth files, the checkout's among them, are not.
    (site / "dependencies.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    return folder


def test_the_wheel_has_all_that_a_clone_serves(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    served = {f"fmviz/served/pages/{lesson.file.name}" for lesson in LESSONS}
    served |= {
        f"fmviz/served/{name}" for name in ("app.py", "assets/logo.svg", "docs/theory.md", ".streamlit/config.toml")
    }
    assert served | {"fmviz/py.typed", "fmviz/app/css/shell.css", "fmviz/stage/js/main.js"} <= names
    texts = {path.relative_to(HOME).as_posix() for path in HOME.glob("fmviz/**/*.toml")}
    assert texts <= names
    assert not [name for name in names if name.startswith(("tests/", "bench/", "tools/"))]


def test_two_builds_are_the_same_to_the_byte(wheel, tmp_path):
    again = build(tmp_path)
    assert hashlib.sha256(again.read_bytes()).digest() == hashlib.sha256(wheel.read_bytes()).digest()


def test_the_installed_app_serves_from_an_empty_folder(installed, tmp_path):
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = str(installed / "bin" / "fmviz")
    version = subprocess.run(
        [command, "--version"], cwd=tmp_path, env=clean, capture_output=True, text=True, check=True
    )
    assert version.stdout == f"fmviz {__version__}\n"

    where = "import fmviz; print(fmviz.__file__)"
    found = subprocess.run(
        [str(installed / "bin" / "python"), "-c", where],
        cwd=tmp_path,
        env=clean,
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.startswith(str(installed)), "not the checkout's"

    port = free_port()
    log = tmp_path / "log"
    run = [command, f"--port={port}", "--address=127.0.0.1", "--no-open"]
    with log.open("w") as out:
        server = subprocess.Popen(run, cwd=tmp_path, env=clean, stdout=out, stderr=subprocess.STDOUT)
    try:
        assert b"fmviz-appear" in answer(f"http://127.0.0.1:{port}/probability-paths", server), log.read_text()
    finally:
        stop(server)


def answer(url: str, server: subprocess.Popen[bytes]) -> bytes:
    """The document at `url`, once the server answers."""
    request = urllib.request.Request(url, headers={"Accept": "text/html"})
    end = time.monotonic() + 60
    while server.poll() is None and time.monotonic() < end:
        try:
            with urllib.request.urlopen(request, timeout=5) as reply:
                return bytes(reply.read())
        except OSError:
            time.sleep(0.1)
    return b""
