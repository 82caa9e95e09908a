"""Write requirements.lock anew: the newest versions that pyproject.toml allows, everything pinned.

Usage: python tools/lock.py [--torch VERSION]

Installs into a fresh virtual environment and writes down what came. torch goes first and pinned exactly (as the lock has
it, unless told otherwise), so that an index with CPU builds can serve one. What differs from machine to machine stays
out: a local version label such as ``+cpu``, and the CUDA packages that torch brings by itself where it wants them.
The group ``alone`` is installed last, without dependencies, and has a lock of its own.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
import tomllib
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements.lock"
ALONE = ROOT / "requirements-alone.lock"
HEADER = "# Written by `make lock`. Installed by every make target; edit pyproject.toml instead.\n"
ALONE_HEADER = (
    "# Written by `make lock`. Installed after requirements.lock, without dependencies; edit pyproject.toml instead.\n"
)
MACHINE_SPECIFIC = re.compile(
    r"^(nvidia|cuda|triton|pytorch-triton)[-_.a-z0-9]*==|^(pip|setuptools|wheel|fmviz)(==| @ )", re.I
)


def clean(frozen: str, header: str = HEADER) -> str:
    """The pins of `pip freeze`, without what belongs to one machine, below a header."""
    pins = []
    for line in frozen.splitlines():
        if MACHINE_SPECIFIC.match(line):
            continue
        if not re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!_-]+", line):
            raise SystemExit(f"not a plain pin: {line}")
        pins.append(line.split("+")[0])
    return header + "\n".join(sorted(pins, key=str.lower)) + "\n"


def _frozen(pip: list[str]) -> str:
    return subprocess.run([*pip, "freeze"], check=True, capture_output=True, text=True).stdout


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--torch", help="version of torch to pin instead of the lock's")
    torch = parser.parse_args().torch
    if torch is None:
        torch = next(line[7:] for line in LOCK.read_text().splitlines() if line.startswith("torch=="))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    # hatchling and editables build the project itself, without a second environment
    wanted = [
        *project["project"]["dependencies"],
        *project["dependency-groups"]["dev"],
        *project["build-system"]["requires"],
        "editables",
    ]
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        python = str(Path(folder) / "bin" / "python")
        pip = [python, "-m", "pip", "--disable-pip-version-check"]
        subprocess.run([*pip, "install", f"torch=={torch}"], check=True)
        subprocess.run([*pip, "install", f"torch=={torch}", *wanted], check=True)
        subprocess.run([*pip, "check"], check=True)
        frozen = _frozen(pip)
        subprocess.run([*pip, "install", "--no-deps", *project["dependency-groups"]["alone"]], check=True)
        added = sorted(set(_frozen(pip).splitlines()) - set(frozen.splitlines()))
    LOCK.write_text(clean(frozen))
    ALONE.write_text(clean("\n".join(added), ALONE_HEADER))
    print(f"{LOCK.name}: {len(LOCK.read_text().splitlines()) - 1} packages", file=sys.stderr)


if __name__ == "__main__":
    main()
