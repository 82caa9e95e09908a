"""The wheel is the app: built, installed into an environment of its own, and served from an empty folder."""

import hashlib
import os
import subprocess
import sys
import sysconfig
import tarfile
import time
import urllib.request
import venv
import zipfile
from pathlib import Path

import pytest
from packaging.metadata import Metadata

from fmviz import __version__
from fmviz.home import HOME
from fmviz.lessons import LESSONS
from tools.serve import free_port, stop

pytestmark = pytest.mark.slow


def build(folder: Path) -> tuple[Path, Path]:
    """The wheel and the source distribution."""
    run = [sys.executable, "-m", "hatchling", "build", "-d", str(folder)]
    subprocess.run(run, cwd=HOME, check=True, capture_output=True, timeout=100)
    (wheel,), (source,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    return wheel, source


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> tuple[Path, Path]:
    return build(tmp_path_factory.mktemp("built"))


@pytest.fixture(scope="module")
def wheel(built) -> Path:
    return built[0]


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


def test_two_builds_are_the_same_to_the_byte(built, tmp_path):
    for first, again in zip(built, build(tmp_path), strict=True):
        assert first.name == again.name
        assert hashlib.sha256(again.read_bytes()).digest() == hashlib.sha256(first.read_bytes()).digest(), first.name


def test_an_index_would_take_what_is_said_about_both(built):
    """Every field as the core metadata specification has it, and a description that is whole: what `twine check` asks.

    twine itself would bring seventeen packages, cryptography and keyring among them.
    """
    wheel, source = built
    with zipfile.ZipFile(wheel) as file:
        (name,) = [name for name in file.namelist() if name.endswith(".dist-info/METADATA")]
        texts = [file.read(name)]
    with tarfile.open(source) as file:
        (member,) = [member for member in file.getmembers() if member.name.endswith("/PKG-INFO")]
        extracted = file.extractfile(member)
        assert extracted is not None
        texts.append(extracted.read())
    for text in texts:
        found = Metadata.from_email(text, validate=True)
        assert (found.name, str(found.version), found.license_expression) == ("fmviz", __version__, "MIT")
        assert found.description_content_type == "text/markdown"
        assert found.description == (HOME / "README.md").read_text(encoding="utf-8")
        assert found.summary
        assert "pdf" in (found.provides_extra or [])


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
