"""Checks the links of all Markdown documents: files that exist, headings that exist. Prints what is wrong; status 1 if anything is."""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"(?ms)^```.*?^```|`[^`\n]*`")


def documents() -> list[Path]:
    """The documents that are checked."""
    return sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])


def anchors(text: str) -> set[str]:
    """The anchors of a document's headings, as forges make them."""
    headings = re.findall(r"(?m)^#+ (.*)$", re.sub(r"(?ms)^```.*?^```", "", text))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken(document: Path) -> list[str]:
    """What is wrong with the links of `document`; addresses of other hosts are not asked for."""
    wrong = []
    for target in LINK.findall(CODE.sub("", document.read_text(encoding="utf-8"))):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        file = document.parent / name if name else document
        if not file.exists():
            wrong.append(f"{document.relative_to(ROOT)}: {target} does not exist")
        elif anchor and anchor not in anchors(file.read_text(encoding="utf-8")):
            wrong.append(f"{document.relative_to(ROOT)}: {target} is no heading there")
    return wrong


def main() -> int:
    """Prints every broken link."""
    wrong = [line for document in documents() for line in broken(document)]
    print("\n".join(wrong) or f"{len(documents())} documents, no broken link")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
