"""The example notebooks run from top to bottom, in a real kernel, and lie in the repository without outputs; what is saved of a picture."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from jupyter_client.manager import KernelManager
from nbclient import NotebookClient
from nbconvert import HTMLExporter, MarkdownExporter
from nbconvert.preprocessors import ClearOutputPreprocessor

ROOT = Path(__file__).parents[2]
NAMES = ("paths", "training", "guidance", "own_network")
SMALL = 16_000
STILLS = {"paths": 2, "training": 1, "guidance": 2, "own_network": 1}
WIDGET = "application/vnd.jupyter.widget-view+json"


def read(name: str) -> nbformat.NotebookNode:
    return nbformat.read(ROOT / "docs" / "notebooks" / f"{name}.ipynb", as_version=4)


@pytest.fixture(scope="module")
def kernel() -> Iterator[KernelManager]:
    """One kernel for all of them, emptied before each: most of the time of a notebook is that of importing torch."""
    manager = KernelManager(kernel_name="python3")
    paths = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    manager.start_kernel(env=os.environ | {"PYTHONPATH": paths, "OMP_NUM_THREADS": "1"})
    yield manager
    manager.shutdown_kernel(now=True)


def test_the_examples_are_these():
    assert {file.stem for file in (ROOT / "docs" / "notebooks").glob("*.ipynb")} == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_an_example_runs_from_top_to_bottom(name: str, kernel: KernelManager, tmp_path: Path):
    book = read(name)
    book.cells.insert(0, nbformat.v4.new_code_cell(f"%reset -f\n%cd -q {tmp_path}"))
    ran = NotebookClient(book, km=kernel, timeout=100).execute()
    shown = [
        out
        for cell in ran.cells
        for out in cell.get("outputs", ())
        if WIDGET in out.get("data", {}) and "Player" in out.data["text/plain"]
    ]
    assert len(shown) == STILLS[name]
    assert all("image/png" in out.data for out in shown)
    assert all(len(out.data["image/png"]) < 300_000 for out in shown)
    assert not [
        out
        for cell in ran.cells
        for out in cell.get("outputs", ())
        if out.output_type == "stream" and out.name == "stderr"
    ]
    assert name != "own_network" or (tmp_path / "own_network.html").stat().st_size > 10_000


@pytest.mark.parametrize("name", NAMES)
def test_an_example_has_no_outputs_in_the_repository(name: str):
    book = read(name)
    nbformat.validate(book)
    assert (ROOT / "docs" / "notebooks" / f"{name}.ipynb").stat().st_size < SMALL
    for cell in book.cells:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None


PICTURES = """
import fmviz
law = fmviz.ProbabilityPath(fmviz.GaussianMixture.standard(), fmviz.presets.get("ring8"), fmviz.schedulers.get("linear"))
""".strip()
SHOWN = ("fmviz.show(law)", "fmviz.show(fmviz.compare(law, lambda x, t: -x, particles=200, steps=10))")
LARGEST = 300_000
"""Bytes by which one picture may let a notebook grow."""


def ran(kernel: KernelManager, *shown: str, keeps_widgets: bool) -> nbformat.NotebookNode:
    """A notebook that has run; `keeps_widgets` as nbclient does it unless told otherwise, and JupyterLab does not."""
    cells = [nbformat.v4.new_code_cell(source) for source in ("%reset -f", PICTURES, *shown)]
    client = NotebookClient(
        nbformat.v4.new_notebook(cells=cells), km=kernel, timeout=100, store_widget_state=keeps_widgets
    )
    return client.execute()


def size(book: nbformat.NotebookNode) -> int:
    return len(nbformat.writes(book).encode())


@pytest.mark.parametrize("keeps_widgets", [False, True])
def test_a_picture_lets_a_saved_notebook_grow_by_little(kernel: KernelManager, keeps_widgets: bool):
    bare = size(ran(kernel, keeps_widgets=keeps_widgets))
    for each in SHOWN:
        assert 20_000 < size(ran(kernel, each, keeps_widgets=keeps_widgets)) - bare < LARGEST


def test_without_its_widgets_a_notebook_is_converted_with_the_still_pictures(kernel: KernelManager):
    book = ran(kernel, *SHOWN, keeps_widgets=False)
    page, _ = HTMLExporter().from_notebook_node(book)
    assert len(re.findall(r'<img[^>]*src="data:image/png;base64,', page)) == len(SHOWN)
    assert f'<script type="{WIDGET}">' not in page
    assert "Error displaying widget" not in page
    cleared, _ = ClearOutputPreprocessor().preprocess(book, {})
    assert size(cleared) < 3_000


def test_with_its_widgets_a_notebook_has_the_still_pictures_where_a_page_has_no_scripts(kernel: KernelManager):
    text, resources = MarkdownExporter().from_notebook_node(ran(kernel, *SHOWN, keeps_widgets=True))
    assert text.count("![png]") == len(resources["outputs"]) == len(SHOWN)
    assert all(picture.startswith(b"\x89PNG") for picture in resources["outputs"].values())
