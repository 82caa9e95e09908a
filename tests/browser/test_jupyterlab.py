"""A picture in a real JupyterLab: it plays, calls back, is shown once after a re-run, and lives on in a folded output, out of sight and
in a notebook that is opened again.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.helpers import Stage
from tools.serve import ROOT, free_port, stop, wait

LARGEST = 300_000
"""Bytes by which one picture may let a saved notebook grow, its widget included."""
TOKEN = "secret"
SETTINGS: dict[str, dict[str, Any]] = {
    "@jupyterlab/apputils-extension/notification": {"fetchNews": "false"},
    "@jupyter-widgets/jupyterlab-manager/plugin": {"saveState": True},
}
PICTURE, HEARD = 1, 2
"""The cells that show the picture and print what the kernel was told."""
CELLS = (
    """import json

import fmviz
from fmviz.notebook.widget import Player
from ipywidgets import Widget

law = fmviz.ProbabilityPath(fmviz.GaussianMixture.standard(), fmviz.presets.get("ring5"), fmviz.schedulers.get("linear"))""",
    """heard = []
player = fmviz.show(law, playing=True)
player.observe(lambda change: heard.append(change["new"]), names="clicked")
player""",
    """clicks = [[click.x, click.y] for click in heard]
print(json.dumps([clicks, player.t, sum(isinstance(widget, Player) for widget in Widget.widgets.values())]))""",
)
BELOW = 40
"""Cells of text below: so many that the picture leaves the screen and its surroundings."""
POINT = (-2.5, 2.5)


class Lab:
    """A running server and what the browser complained about."""

    def __init__(self, url: str, folder: Path, page: Page) -> None:
        self.url, self.folder, self.page = url, folder, page
        self.complaints: list[str] = []
        page.on("console", lambda m: self.complaints.append(f"console: {m.text}") if m.type == "error" else None)
        page.on("pageerror", lambda e: self.complaints.append(f"uncaught: {e}"))

    def set(self, plugin: str, values: dict[str, Any]) -> None:
        """Settings of a plugin, for pages that are opened from now on."""
        file = self.folder / "settings" / f"{plugin}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(values))

    def open(self, name: str) -> None:
        """Open a notebook, and wait for its kernel."""
        self.page.goto(f"{self.url}/lab/tree/{name}?token={TOKEN}")
        self.page.wait_for_function(
            "() => window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'",
            timeout=60_000,
        )

    def do(self, command: str) -> None:
        """A command of the menus, until it has ended."""
        self.page.evaluate("(command) => jupyterapp.commands.execute(command).then(() => null)", command)

    def choose(self, cell: int) -> None:
        """Make a cell the active one, and bring it into sight."""
        self.page.evaluate(
            "(cell) => { const book = jupyterapp.shell.currentWidget.content;"
            " book.deselectAll(); book.activeCellIndex = cell; return book.scrollToItem(cell, 'start').then(() => null); }",
            cell,
        )

    def run(self, cell: int) -> str:
        """Run a cell; what it printed."""
        self.choose(cell)
        self.do("notebook:run-cell")
        text: str = self.page.evaluate(
            "(cell) => Array.from(jupyterapp.shell.currentWidget.content.widgets[cell].model.outputs.toJSON(),"
            " (output) => output.name === 'stdout' ? output.text : '').join('')",
            cell,
        )
        return text

    def tick(self) -> None:
        """Until a timer of the stage's period has rung twice: a stage that looks whether it is still wanted has looked."""
        self.page.evaluate(
            "() => new Promise((done) => { let n = 0;"
            " const id = setInterval(() => (n += 1) > 1 && done(clearInterval(id)), 1000); })"
        )


@pytest.fixture
def lab(tmp_path: Path, browser: Browser) -> Iterator[Lab]:
    """JupyterLab with settings, workspaces and kernels of its own, and a page of the browser."""
    url = f"http://127.0.0.1:{(port := free_port())}"
    books, log = tmp_path / "books", tmp_path / "log"
    books.mkdir()
    places = {f"JUPYTER_{name}_DIR": str(tmp_path / name.lower()) for name in ("CONFIG", "DATA", "RUNTIME")}
    places |= {f"JUPYTERLAB_{name}_DIR": str(tmp_path / name.lower()) for name in ("SETTINGS", "WORKSPACES")}
    options = {
        "ServerApp.root_dir": books,
        "ServerApp.ip": "127.0.0.1",
        "ServerApp.port": port,
        "ServerApp.port_retries": 0,
        "ServerApp.open_browser": False,
        "ServerApp.allow_root": True,
        "IdentityProvider.token": TOKEN,
        "LabApp.expose_app_in_browser": True,
        "LabApp.extension_manager": "readonly",
    }
    with log.open("w") as out:
        server = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *(f"--{name}={value}" for name, value in options.items())],
            cwd=tmp_path,
            env=os.environ | places | {"IPYTHONDIR": str(tmp_path / "ipython"), "PYTHONPATH": str(ROOT)},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    context = browser.new_context(viewport={"width": 1366, "height": 900})
    try:
        wait(server, f"{url}/api/status?token={TOKEN}", "JupyterLab", log)
        made = Lab(url, tmp_path, context.new_page())
        for plugin, values in SETTINGS.items():
            made.set(plugin, values)
        yield made
    finally:
        context.close()
        stop(server)
    assert not made.complaints


def written(file: Path) -> int:
    """A notebook that has not run yet; its size."""
    cells = [nbformat.v4.new_code_cell(source) for source in CELLS]
    cells += [nbformat.v4.new_markdown_cell("\n\n".join(["Text"] * 8)) for _ in range(BELOW)]
    book = nbformat.v4.new_notebook(cells=cells)
    book.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(book, file)
    return file.stat().st_size


def plays(stage: Stage) -> None:
    """Two different pictures."""
    stage.wait("s.playing === 'true'")
    stage.wait_for_other_picture("marginal", stage.picture("marginal"))


@pytest.mark.timeout(300)
def test_a_picture_in_jupyterlab(lab: Lab) -> None:
    page, file = lab.page, lab.folder / "books" / "picture.ipynb"
    before = written(file)
    lab.open(file.name)
    lab.do("notebook:run-all-cells")
    lab.choose(PICTURE)
    stage = Stage(page)
    plays(stage)

    # Stopped and clicked: both are heard in the kernel, which answers the click with a trajectory through the point.
    stage.root.focus()
    page.keyboard.press("Space")
    stage.wait("s.playing === 'false'")
    clip = stage.data("clip")
    page.mouse.click(*stage.place("marginal", *POINT))
    expect(stage.root).not_to_have_attribute("data-clip", clip)
    clicks, t, players = json.loads(lab.run(HEARD))
    assert clicks == [pytest.approx(POINT, abs=0.05)]
    assert (t, players) == (pytest.approx(stage.t, abs=1e-5), 1)
    assert 0.0 < t < 1.0

    # Run again: the one live stage is the new one, here and in the kernel.
    lab.run(PICTURE)
    expect(stage.root).to_have_attribute("data-clip", clip)
    plays(stage)
    assert json.loads(lab.run(HEARD)) == [[], 0.0, 1]

    # In a folded output it is not in the page at all.
    lab.choose(PICTURE)
    lab.do("notebook:hide-cell-outputs")
    expect(stage.root).to_have_count(0)
    lab.tick()
    lab.do("notebook:show-cell-outputs")
    plays(stage)

    # Scrolled out of sight it stays in the page, and does not draw.
    lab.choose(len(CELLS) + BELOW - 1)
    expect(stage.root).not_to_be_in_viewport()
    lab.tick()
    frames = stage.data("frames")
    lab.tick()
    assert stage.data("frames") == frames
    lab.choose(PICTURE)
    plays(stage)

    lab.do("docmanager:save")
    assert 20_000 < file.stat().st_size - before < LARGEST
    assert "widgets" in json.loads(file.read_text())["metadata"]

    # Opened again, without the kernel that knew the player, in the mode that draws only the cells in sight.
    page.evaluate("jupyterapp.shell.currentWidget.sessionContext.shutdown()")
    lab.set("@jupyterlab/notebook-extension/tracker", {"windowingMode": "full"})
    lab.open(file.name)
    lab.choose(PICTURE)
    plays(stage)
    lab.choose(len(CELLS) + BELOW - 1)
    expect(stage.root).to_be_hidden()
    assert page.locator(".jp-Notebook .jp-Cell").count() < BELOW
    lab.tick()
    lab.choose(PICTURE)
    plays(stage)
    expect(stage.root).to_be_in_viewport()
