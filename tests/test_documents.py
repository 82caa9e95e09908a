"""The documents are whole: every cited law is defined once, in a form that the app can show, and no link is broken."""

import re
import subprocess
from pathlib import Path

from fmviz.app.laws import by_name, law, sections
from tools import check_documents

ROOT = Path(__file__).resolve().parents[1]
CITED = re.compile(r"\bT(\d{1,2})\b")


def laws():
    return [entry for part in sections() for entry in part.laws]


def test_every_law_has_one_number_and_two_names():
    assert [entry.number for entry in laws()] == list(range(1, 62))
    for entry in laws():
        assert entry.text, entry.number
        assert re.search(r"[A-Za-z]", entry.english), entry.number
        assert re.search(r"[一-鿿]", entry.chinese), entry.number


def test_every_cited_law_is_defined():
    known = {entry.number for entry in laws()}
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    files = [
        ROOT / name for name in tracked if name.endswith((".py", ".md", ".js", ".toml")) and (ROOT / name).exists()
    ]
    cited = {(int(number), file.name) for file in files for number in CITED.findall(file.read_text(encoding="utf-8"))}
    assert len(cited) > 100
    assert {pair for pair in cited if pair[0] not in known} == set()


def test_a_reader_sees_names_and_no_numbers():
    for language in ("en", "zh"):
        for part in sections():
            texts = [by_name(part.text, language), *(by_name(entry.text, language) for entry in part.laws)]
            assert not any(CITED.search(text) for text in texts), part.title
    assert by_name("see T23", "en") == f"see *{law(23).english}*"


def test_formulas_are_closed():
    for entry in laws():
        assert entry.text.count("$") % 2 == 0, entry.number
        assert entry.text.count("{") == entry.text.count("}"), entry.number


def test_no_link_of_a_document_is_broken():
    assert [line for document in check_documents.documents() for line in check_documents.broken(document)] == []


def test_a_broken_link_is_found(tmp_path, monkeypatch):
    monkeypatch.setattr(check_documents, "ROOT", tmp_path)
    page = tmp_path / "page.md"
    page.write_text(
        "# A heading\n[gone](gone.md) [here](#a-heading) [nowhere](page.md#b) `[code](x.md)` [far](https://x.org)\n"
    )
    assert [line.split(": ")[1].split()[0] for line in check_documents.broken(page)] == ["gone.md", "page.md#b"]
