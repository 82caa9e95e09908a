"""Check the links of all Markdown documents: the files and the headings they name exist. Prints what is wrong; status 1 if
anything is. Addresses of other hosts are not asked for."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from urllib.parse import unquote

__all__ = ["ROOT", "anchors", "broken", "documents"]

ROOT = Path(__file__).resolve().parents[1]
# [text](target), ![text](target "title"), and [name]: target at the beginning of a line.
LINK = re.compile(r"\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)")
DEFINITION = re.compile(r"(?m)^ {0,3}\[[^\]]+\]:\s+<?(\S+?)>?(?:\s|$)")
FENCE = re.compile(r"(?ms)^ {0,3}(```+|~~~+).*?^ {0,3}\1")
SPAN = re.compile(r"(`+)(?!`).*?(?<!`)\1(?!`)")
HEADING = re.compile(r"(?m)^ {0,3}#{1,6} +(.*?)(?: +#+)? *$")
ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:|//", re.I)


def documents() -> list[Path]:
    """The documents that are checked: those at the root and those in docs/."""
    return sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])


def anchors(text: str) -> set[str]:
    """The anchors of a document's headings by GitHub's rule: lower case, only letters, digits, ``_``, ``-`` and spaces, the
    spaces as ``-``, and ``-1``, ``-2`` … behind a heading that occurs again."""
    found: dict[str, int] = {}
    names = set()
    for heading in HEADING.findall(FENCE.sub("", text)):
        shown = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        name = re.sub(r"[^\w\- ]", "", shown.strip().lower()).replace(" ", "-")
        seen = found.get(name, 0)
        found[name] = seen + 1
        names.add(f"{name}-{seen}" if seen else name)
    return names


def targets(text: str) -> list[str]:
    """What the links and images of a document point at; code has no links."""
    prose = SPAN.sub("", FENCE.sub("", text))
    return [*LINK.findall(prose), *DEFINITION.findall(prose)]


def broken(document: Path) -> list[str]:
    """What is wrong with the links of `document`, a sentence each."""
    text = document.read_text(encoding="utf-8")
    wrong = []
    for target in targets(text):
        if ELSEWHERE.match(target):
            continue
        name, _, anchor = unquote(target).partition("#")
        file = document.parent / name if name else document
        where = f"{document.relative_to(ROOT)}: {target}"
        if not file.exists():
            wrong.append(f"{where} does not exist")
        elif not file.resolve().is_relative_to(ROOT.resolve()):
            wrong.append(f"{where} is outside the repository")
        elif anchor and file.suffix == ".md" and anchor not in anchors(file.read_text(encoding="utf-8")):
            wrong.append(f"{where} is no heading there")
    return wrong


def main() -> int:
    """Prints every broken link."""
    found = documents()
    wrong = [line for document in found for line in broken(document)]
    print("\n".join(wrong) or f"{len(found)} documents, no broken link")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
