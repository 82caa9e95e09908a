"""Find a Chromium for the browser tests and the bench, or say how to get one.

Usage: python tools/find_chromium.py [--install]

Looks at the environment variable CHROMIUM, then PATH, then Playwright's own download; with ``--install`` it then asks
apt, where there is an apt and the user is root. Prints the path, or explains on stderr and exits with status 1.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

__all__ = ["FLAGS", "HELP", "ChromiumMissing", "find_chromium"]

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

# Headless on a machine without a GPU, without a sandbox (containers run as root) and without calls home.
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

HELP = """\
No Chromium found. The browser tests need one; any of these will do:
  Debian, Ubuntu      sudo apt-get update && sudo apt-get install -y chromium
  macOS               brew install --cask chromium
  Playwright's own    .venv/bin/playwright install chromium
  a browser you have  CHROMIUM=/path/to/chrome make test"""


class ChromiumMissing(Exception):  # noqa: N818
    """No Chromium could be found or installed; the message says how to get one."""


def _on_path() -> str | None:
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def _playwrights_own() -> str | None:
    """The Chromium that `playwright install` downloaded, asked in a process of its own: only one may live per thread."""
    script = "from playwright.sync_api import sync_playwright\nwith sync_playwright() as p: print(p.chromium.executable_path)"
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=60)
    path = answer.stdout.strip()
    return path if answer.returncode == 0 and os.path.exists(path) else None


def _apt() -> None:
    if not shutil.which("apt-get") or os.geteuid() != 0:
        return
    print("No Chromium found: installing Debian's with apt-get …", file=sys.stderr, flush=True)
    env = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for command in (["apt-get", "update"], ["apt-get", "install", "-y", "--no-install-recommends", "chromium"]):
        done = subprocess.run(command, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if done.returncode:
            print(done.stdout[-2000:], done.stderr[-2000:], sep="\n", file=sys.stderr)


def find_chromium(install: bool = False) -> str:
    """The path of a Chromium.

    Raises:
        ChromiumMissing: none is there, or CHROMIUM names a file that does not exist.
    """
    if named := os.environ.get("CHROMIUM"):
        path = shutil.which(named)
        if not path:
            raise ChromiumMissing(f"CHROMIUM={named} is not a program that can be run.\n{HELP}")
        return path
    found = _on_path() or _playwrights_own()
    if not found and install:
        _apt()
        found = _on_path()
    if not found:
        raise ChromiumMissing(HELP)
    return found


if __name__ == "__main__":
    try:
        print(find_chromium(install="--install" in sys.argv[1:]))
    except ChromiumMissing as missing:
        raise SystemExit(str(missing)) from None
