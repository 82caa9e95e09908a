"""The documents are whole: each law is defined once, in a form that the app can show, and no citation or link leads nowhere."""

import re
from pathlib import Path

import pytest

from fmviz.app.laws import CITED, FILE, HEADING, Law, by_name, law, sections
from fmviz.scene.views import LANGUAGES
from tools import check_documents

ROOT = check_documents.ROOT
THEORY = FILE.read_text(encoding="utf-8")
SOURCE = re.compile(r"\[(\d+(?:, \d+)*)\]")
SUFFIXES = (".py", ".md", ".js", ".css", ".toml")
ALL = range(1, 62)


def laws() -> dict[int, Law]:
    """All laws by number, in the order of the document; each number once."""
    entries = [entry for part in sections() for entry in part.laws]
    found = {entry.number: entry for entry in entries}
    assert len(found) == len(entries)
    return found


def formulas(text: str) -> list[str]:
    """What stands between single or double dollar signs."""
    return [double or single for double, single in re.findall(r"\$\$(.+?)\$\$|\$(.+?)\$", text, re.DOTALL)]


def sources() -> str:
    """The text of every file that may cite a law."""
    folders = ("fmviz", "pages", "tests", "bench", "tools", "docs")
    files = [*ROOT.glob("*.*"), *(file for folder in folders for file in (ROOT / folder).rglob("*.*"))]
    return "\n".join(file.read_text(encoding="utf-8") for file in files if file.suffix in SUFFIXES)


def test_every_law_is_defined_once_under_two_names():
    assert sorted(laws()) == list(ALL)
    for number, entry in laws().items():
        assert re.search(r"[A-Za-z]{3}", entry.english), number
        assert not re.search(r"[一-鿿]", entry.english), number
        assert re.search(r"[一-鿿]", entry.chinese), number
        assert len(entry.text) > 40, number
    for names in ({entry.english for entry in laws().values()}, {entry.chinese for entry in laws().values()}):
        assert len(names) == len(ALL)


def test_only_laws_have_headings_of_the_third_level():
    titles = re.findall(r"(?m)^#{2,} .*$", THEORY)
    assert all(HEADING.fullmatch(title) or re.fullmatch(r"## [^#·]+", title) for title in titles)


def test_every_cited_law_is_defined():
    cited = {int(number) for number in CITED.findall(sources())}
    assert len(cited) > 30
    assert cited - set(laws()) == set()


def test_every_cited_section_is_there():
    cited = re.findall(r"theory\.md, \"([A-Z][^\"]+)\"|\"([A-Z][^\"\n]+)\" in theory\.md", sources())
    titles = {part.title for part in sections()}
    assert len(cited) > 2
    assert {one or other for one, other in cited} <= titles


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_reader_sees_names_and_no_numbers(language):
    texts = [text for part in sections() for text in (part.text, *(entry.text for entry in part.laws))]
    assert sum(len(CITED.findall(text)) for text in texts) > 10
    assert not any(CITED.search(by_name(text, language)) for text in texts)
    assert by_name("see T23", language) == f"see *{law(23).name(language)}*"


def test_formulas_are_closed_and_name_distributions_upright():
    for block in re.split(r"\n\n+", THEORY):
        assert block.count("$") % 2 == 0, block
    found = formulas(THEORY)
    assert len(found) > 300
    for formula in found:
        for opening, closing in ("{}", "()", "[]") if not re.search(r"\[[^\]]*\)", formula) else ("{}",):
            assert formula.count(opening) == formula.count(closing), formula
        assert formula.count(r"\big(") == formula.count(r"\big)"), formula
        assert formula.count(r"\Big(") == formula.count(r"\Big)"), formula
        assert not re.search(r"_\{?(data|init|CFM|FM)\b", formula), formula
        assert not re.search(r"\\[,;!:{}\\]", formula), f"GitHub drops the backslash: {formula}"


def test_every_source_is_listed_and_every_listed_one_is_used():
    text, _, listed = THEORY.partition("\n## Sources\n")
    known = {int(number) for number in re.findall(r"(?m)^(\d+)\. ", listed)}
    prose = re.sub(r"\$\$.+?\$\$|\$.+?\$", "", text, flags=re.DOTALL)
    used = {int(number) for group in SOURCE.findall(prose) for number in group.split(", ")}
    assert known == set(range(1, len(known) + 1))
    assert used == known


@pytest.mark.parametrize("document", check_documents.documents(), ids=lambda path: path.name)
def test_no_link_is_broken(document: Path):
    assert check_documents.broken(document) == []


def test_broken_links_are_found_and_good_ones_are_not(tmp_path, monkeypatch):
    monkeypatch.setattr(check_documents, "ROOT", tmp_path)
    (tmp_path / "other.md").write_text("# Other\n## Twice · 两次\n## Twice · 两次\n```\n# no heading\n```\n")
    page = tmp_path / "page.md"
    page.write_text(
        "# A `heading`, *really*\n"
        '[fine](#a-heading-really) [fine](other.md) [fine](other.md#twice--两次-1) ![fine](other.md "title")\n'
        "[far](https://example.org/gone) `[code](gone.md)`\n```\n[code](gone.md)\n```\n"
        "[1](gone.md) [2](#nowhere) [3](other.md#no-heading) [4](other.md#twice--两次-2) ![5](gone.png) [6](../etc)\n"
        "[7][name]\n\n[name]: gone.toml\n"
    )
    (tmp_path.parent / "etc").touch()
    wrong = [line.removeprefix("page.md: ").split()[0] for line in check_documents.broken(page)]
    assert wrong == [
        "gone.md",
        "#nowhere",
        "other.md#no-heading",
        "other.md#twice--两次-2",
        "gone.png",
        "../etc",
        "gone.toml",
    ]
