"""Every text exists in both languages, is used, and is nowhere but in the locale files."""

import ast
import re
import string
import tomllib
from pathlib import Path
from unicodedata import east_asian_width

import pytest

from fmviz.app.catalogue import ASSETS, catalogue, number
from fmviz.scene.scene import INITS, PRESETS, SCHEDULERS, SIGMAS
from fmviz.scene.views import LANGUAGES, LAYERS
from fmviz.stage.payload import Labels

ROOT = ASSETS.parent
SOURCES = sorted(
    [
        *ROOT.glob("pages/*.py"),
        *ROOT.glob("fmviz/app/*.py"),
        *ROOT.glob("fmviz/comparison/*.py"),
        *ROOT.glob("fmviz/lessons/**/*.py"),
        ROOT / "app.py",
    ]
)
WORD = re.compile(r"[a-z]{4,}")
NAMES = re.compile(r"Si?LU|ReLU|GELU|Adam\w?|fmviz|Euler–Maruyama|Heun|\$[^$]*\$|:\w+\[|tanh|\{\w+\}|log|det|var")
LETTERS = re.compile(r"[A-Za-z一-鿿]{2,}")


def calls(tree: ast.AST):
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def used_keys() -> tuple[set[str], list[re.Pattern[str]]]:
    """Keys that appear as literals anywhere, and patterns of those put together from pieces."""
    literal: set[str] = set()
    patterns = []
    for source in SOURCES:
        for node in ast.walk(ast.parse(source.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                literal.add(node.value)
            if isinstance(node, ast.JoinedStr):
                parts = [re.escape(p.value) if isinstance(p, ast.Constant) else r"[a-z0-9_.]+" for p in node.values]
                if "." in "".join(p.value for p in node.values if isinstance(p, ast.Constant)):
                    patterns.append(re.compile("".join(parts)))
    return literal, patterns


def test_both_languages_have_the_same_keys_and_placeholders():
    tables = [catalogue(language) for language in LANGUAGES]
    assert set(tables[0]) == set(tables[1])
    for key in tables[0]:
        fields = [
            {name for _, name, _, _ in string.Formatter().parse(table[key]) if name}
            for table in tables
            if "$" not in table[key]
        ]
        assert all(f == fields[0] for f in fields), key


def test_no_text_is_empty_and_chinese_is_chinese():
    english, chinese = catalogue("en"), catalogue("zh")
    for key in english:
        assert english[key].strip(), key
        assert chinese[key].strip(), key
        assert not re.search(r"[一-鿿]", english[key]), key
    prose = {key for key in english if english[key] == chinese[key] and WORD.search(NAMES.sub("", english[key]))}
    assert prose == set(), "English prose in Chinese"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_reader_sees_no_number_of_a_law(language):
    """Texts and formulas name a law; its number is for code and documents."""
    for key, text in catalogue(language).items():
        assert not re.search(r"\bT\d{1,2}\b", text), key
    for file in ROOT.glob("fmviz/lessons/*/*formulas.toml"):
        for strip in tomllib.loads(file.read_text(encoding="utf-8")).values():
            assert not re.search(r"\bT\d{1,2}\b", str(strip)), file


def test_every_question_has_an_answer():
    texts = catalogue("en")
    asked = {key.removesuffix("predict") for key in texts if key.endswith(".notice.predict")}
    assert len(asked) >= 10
    assert all(f"{prefix}answer" in texts for prefix in asked)


def test_claims_and_captions_are_short():
    """Thirty-five words at most for what stands below a title or a picture; a formula counts as one word."""
    captions = {key: text for key, text in catalogue("en").items() if re.search(r"(claim|how|hint)$", key)}
    assert len(captions) > 20
    long = {key: len(re.sub(r"\$[^$]*\$", "x", text).split()) for key, text in captions.items()}
    assert {key: words for key, words in long.items() if words > 35} == {}


@pytest.mark.parametrize("table", ["stage", "layer"])
def test_the_stage_has_exactly_its_texts(table):
    keys = {key.split(".", 1)[1] for key in catalogue("en") if key.startswith(f"{table}.")}
    assert keys == (set(Labels.text_names()) if table == "stage" else set(LAYERS))


@pytest.mark.parametrize(
    ("table", "options"), [("preset", {*PRESETS, *INITS}), ("scheduler", set(SCHEDULERS)), ("sigma", set(SIGMAS))]
)
def test_every_option_has_a_name(table, options):
    assert {key.split(".", 1)[1] for key in catalogue("en") if key.startswith(f"{table}.")} == options


def test_no_text_is_missing_or_unused():
    literal, patterns = used_keys()
    keys = set(catalogue("en"))
    sections = {"stage", "layer"}  # taken whole
    unused = {
        key
        for key in keys
        if key.split(".")[0] not in sections
        and key not in literal
        and not any(pattern.fullmatch(key) for pattern in patterns)
        and not re.fullmatch(r"(preset|scheduler|sigma)\.\w+|\w+\.(title|claim)|\w+\.notice\.\w+", key)
    }
    assert unused == set()
    missing = {
        node.args[0].value
        for source in SOURCES
        for node in calls(ast.parse(source.read_text()))
        if getattr(node.func, "id", "") == "tr" and isinstance(node.args[0], ast.Constant)
    } - keys
    assert missing == set()


def shown_literals(source: Path) -> list[str]:
    """String literals with words in them that are handed to a Streamlit element as something to read."""
    found = []
    readable = {"label", "body", "help", "text", "placeholder", "caption", "title", "page_title", "alt"}
    for node in calls(ast.parse(source.read_text())):
        function = ast.unparse(node.func)
        if not re.match(r"(st|slot|share|gallery|expander)\.\w+$", function) or function in (
            "st.html",
            "st.App",
            "st.fragment",
        ):
            continue
        arguments = [*node.args, *(k.value for k in node.keywords if k.arg in readable)]
        for argument in arguments:
            pieces = (
                [argument]
                if isinstance(argument, ast.Constant)
                else argument.values
                if isinstance(argument, ast.JoinedStr)
                else []
            )
            for piece in pieces:
                if isinstance(piece, ast.Constant) and isinstance(piece.value, str):
                    text = re.sub(r":(material/)?\w+:|:\w+\[|\*+", "", piece.value)
                    if LETTERS.search(text) and not text.startswith("pages/"):
                        found.append(text)
    return found


@pytest.mark.parametrize("source", SOURCES, ids=lambda p: p.name)
def test_no_user_visible_literal(source):
    allowed = {"auto", "stretch", "small", "&nbsp;", "text/html", "application/json", "data:", ";base64,"}
    texts = {text for text in shown_literals(source) if not re.fullmatch(r"[\w-]+\.(html|json|safetensors)", text)}
    assert texts <= allowed


def test_the_literal_test_can_fail(tmp_path):
    page = tmp_path / "page.py"
    page.write_text('import streamlit as st\nst.markdown("Hello there")\nst.button("好的", help=f"Press {1} now")\n')
    assert shown_literals(page) == ["Hello there", "好的", "Press ", " now"]


def test_stage_scripts_have_no_words_of_their_own():
    """Every text of the stage comes in its payload: no script puts a literal with words on screen."""
    for script in (ROOT / "fmviz/stage/js").glob("*.js"):
        code = re.sub(r"//.*|/\*[\s\S]*?\*/", "", script.read_text())
        assert not re.search(r"(textContent|title|ariaLabel|innerText)\s*=\s*[\"'`][^\"'`]*[A-Za-z一-鿿]{3,}", code), (
            script.name
        )


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0"), (0.001234, "0.00123"), (3.14159, "3.14"), (1.2e-7, "1.2·10⁻⁷"), (123456, "1.2·10⁵")]
)
def test_numbers_read_well(value, text):
    assert number(value) == text


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_stands_below_a_title_in_a_chart_fits_a_phone(language):
    """Vega cuts off what is wider than the chart; a Chinese character is as wide as two letters."""
    below = re.compile(r"train\.chart\.\w+_(help|middle|plain)")
    texts = {key: text for key, text in catalogue(language).items() if below.fullmatch(key)}
    assert len(texts) == 6
    widths = {key: sum(1 + (east_asian_width(c) in "WF") for c in text) for key, text in texts.items()}
    assert max(widths.values()) <= 54, widths
