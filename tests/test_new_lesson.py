"""The worked example of docs/new-lesson.md, word for word: one folder, one page file and one line make a lesson."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
GUIDE = ROOT / "docs" / "new-lesson.md"
LAST = '    Lesson("theory",'

TRIED = """
import sys
from streamlit.testing.v1 import AppTest
from fmviz.app import shell
from fmviz.app.catalogue import translate
from fmviz.app.choices import State, decode, encode
from fmviz.lessons.orbit.script import orbit_script
from fmviz.lessons.orbit.settings import Settings
from fmviz.scene import Scene, Shell
from fmviz.stage.payload import decode_header

for language in ("en", "zh"):
    state = State(shell=Shell(language=language), scene=Scene(data="moons", count=40), orbit=Settings(turns=3))
    assert decode(encode(state)) == (state, ())
    app = AppTest.from_file("app.py", default_timeout=60)
    app.query_params.update(encode(state))
    app.run()
    assert translate(language, "orbit.card") in [m.value for m in app.markdown]
    app.switch_page("pages/orbit.py").run()
    assert not app.exception, app.exception
    assert app.header[0].value == translate(language, "orbit.title")
    assert app.slider(key="orbit.turns").value == 3
    app.slider(key="orbit.turns").set_value(-2).run()
    assert app.session_state["fmviz_state"].orbit == Settings(turns=-2)
    assert {k: v[0] if isinstance(v, list) else v for k, v in app.query_params.items()}["turns"] == "-2"
    header = decode_header(app.session_state["fmviz_last_payload.orbit_stage"])
    assert header["panels"][0]["title"] == translate(language, "orbit.title")
exec(compile(orbit_script(Scene(count=40), Settings(turns=2)), "orbit", "exec"))
"""


def blocks() -> dict[str, str]:
    """The files of the guide by their path."""
    return dict(re.findall(r"(?ms)^`([\w./]+)`\n\n```\w+\n(.*?)^```$", GUIDE.read_text(encoding="utf-8")))


def with_the_lesson(root: Path) -> Path:
    """A copy of the project at `root` with the lesson of the guide in it."""
    leave = shutil.ignore_patterns(".git", ".venv", "__pycache__", ".*_cache", "build", "dist")
    shutil.copytree(ROOT, root, ignore=leave)
    for name, text in blocks().items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    (line,) = re.findall(r"(?ms)^```python registry\n(.*?)^```$", GUIDE.read_text(encoding="utf-8"))
    registry = root / "fmviz/lessons/__init__.py"
    before = registry.read_text(encoding="utf-8")
    assert before.count(LAST) == 1
    registry.write_text(before.replace(LAST, line + LAST), encoding="utf-8")
    return root


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return with_the_lesson(tmp_path_factory.mktemp("orbit") / "fmviz")


def run(root: Path, *command: str) -> str:
    """Runs Python in the copy; its own fmviz is the one that is imported."""
    environment = {**os.environ, "PYTHONPATH": str(root)}
    done = subprocess.run(
        [sys.executable, *command], cwd=root, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    return done.stdout


def test_the_guide_touches_a_folder_a_page_file_and_a_line():
    names = set(blocks())
    assert len(names) == 9
    assert {name for name in names if not name.startswith("fmviz/lessons/orbit/")} == {"pages/orbit.py"}


def test_the_lesson_is_in_the_app_in_both_languages(copy):
    assert "home again" in run(copy, "-c", TRIED)


def test_imports_texts_and_types_of_the_copy_hold(copy):
    contracts = "from importlinter.cli import lint_imports_command; lint_imports_command(['--no-logo', '--no-cache'])"
    assert " 0 broken" in run(copy, "-c", contracts)
    tests = ("tests/app/test_texts.py", "tests/scene/test_link.py", "tests/test_documents.py")
    chosen = ["-k", "not every_cited_law"]  # which asks git for the files
    assert "failed" not in run(copy, "-m", "pytest", *tests, *chosen, "-q", "-p", "no:cacheprovider").splitlines()[-1]
    assert tomllib.loads((copy / "fmviz/lessons/orbit/texts/zh.toml").read_text(encoding="utf-8"))["orbit"]["nav"]
