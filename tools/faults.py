"""Small faults that could be made in the code by mistake: where they can stand, and a seeded sample of them.

A fault is a changed number, sign, operator or comparison, a dropped term of a sum, a flipped truth value, ``min`` for ``max``
and the like. It replaces one piece of the file's text and leaves the rest as it is, comments included.

Some kinds never show in any result, and are not planted: ``strict`` of ``zip``, a guard that says that lengths are equal; the
size of an ``lru_cache``; ``eq=False`` of a dataclass, said of those that hold tensors, which nobody compares; ``repr`` of a
field; and "less" for "less or equal" beside a ``TOLERANCE``, since no number is exactly that far off.
``tools/equivalent_mutants.toml`` lists, with the reason, the constants that only set how much is done or remembered at once
(``pace``), whose numbers are left alone, and single faults that change nothing that can be observed.
"""

from __future__ import annotations

import ast
import copy
import random
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

__all__ = ["PACKAGES", "ROOT", "Fault", "changed", "equivalent", "faults", "paces", "sample"]

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("theory", "learning", "clips", "stage")
"""Folders below ``fmviz``, each with its tests in the folder of the same name below ``tests``; ``lessons/paths`` could be one."""
EQUIVALENT = ROOT / "tools" / "equivalent_mutants.toml"

SWAPPED: dict[type[ast.AST], type[ast.AST]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.And: ast.Or,
    ast.Or: ast.And,
}
SMALL = 10
"""Whole numbers from here on are doubled: one more of many is a matter of taste."""
UNSEEN = {("zip", "strict"), ("lru_cache", "maxsize"), ("dataclass", "eq"), ("field", "repr")}
"""Arguments, by function and name, that change no result: see above."""
TINY = 1e-4
"""Numbers up to here are margins and tolerances, of which one percent is a matter of taste: they become a hundred times larger."""
OPPOSITE = {"min": "max", "max": "min", "amin": "amax", "amax": "amin", "minimum": "maximum", "maximum": "minimum"}


@dataclass(frozen=True)
class Fault:
    """One fault.

    Attributes:
        package: the entry of PACKAGES that the file belongs to.
        file: the file, relative to the root of the project.
        line, column: where the replaced text begins, counted from 1, the column in bytes.
        lines: the first and the last line of the statement it is part of, or of the head of a compound statement.
        start, end: what is replaced, as offsets into the file's bytes.
        code: the line of code, without its indentation.
        before, after: the replaced expression and what replaces it.
    """

    package: str
    file: str
    line: int
    column: int
    lines: tuple[int, int]
    start: int
    end: int
    code: str
    before: str
    after: str

    def planted(self, source: bytes) -> bytes:
        """The file `source` with the fault in it."""
        return source[: self.start] + self.after.encode() + source[self.end :]


def changed(node: ast.AST) -> Iterator[ast.AST]:
    """What could stand in place of `node` by mistake."""
    match node:
        case ast.Constant(value=bool() as value):
            yield ast.Constant(not value)
        case ast.Constant(value=int() as value):
            yield ast.Constant(value + 1 if abs(value) < SMALL else 2 * value)
        case ast.Constant(value=float() as value):
            yield ast.Constant((value * 1.01 if abs(value) > TINY else value * 100.0) if value else 0.01)
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int())):
            return  # mostly an axis or the last index: 1 for -1 would often be the same one, while -2 for -1 is planted below
        case ast.UnaryOp(op=ast.USub() | ast.Not(), operand=operand):
            yield operand
        case ast.BinOp(left=left, op=op, right=right) if not (_is_text(left) or _is_text(right)):
            if type(op) in SWAPPED:
                yield ast.BinOp(left, SWAPPED[type(op)](), right)
            if isinstance(op, ast.Add | ast.Sub):
                yield left
                yield right if isinstance(op, ast.Add) else ast.UnaryOp(ast.USub(), right)
        case ast.Compare(left=left, ops=ops, comparators=others):
            within = any(_is_tolerance(side) for side in (left, *others))
            for k, op in enumerate(ops):
                if type(op) in SWAPPED and not within:
                    yield ast.Compare(left, [*ops[:k], SWAPPED[type(op)](), *ops[k + 1 :]], others)
        case ast.BoolOp(op=op, values=values):
            yield ast.BoolOp(SWAPPED[type(op)](), values)
        case ast.AugAssign(target=target, op=op, value=value) if type(op) in SWAPPED and not _is_text(value):
            yield ast.AugAssign(target, SWAPPED[type(op)](), value)
        case ast.Call(func=ast.Name(id=name), args=args, keywords=more) if name in OPPOSITE:
            yield ast.Call(ast.Name(OPPOSITE[name]), args, more)
        case ast.Call(func=ast.Attribute(value=of, attr=name), args=args, keywords=more) if name in OPPOSITE:
            yield ast.Call(ast.Attribute(of, OPPOSITE[name]), args, more)


def faults(package: str, file: str, source: bytes) -> list[list[Fault]]:
    """For each place of the file at which faults can be planted, in their order, the faults that can stand there."""
    text, kept = source.decode(), paces().get(file, set())
    begins = [0]
    for line in source.splitlines(keepends=True):
        begins.append(begins[-1] + len(line))
    found = []
    for node, lines in _places(ast.parse(text), (1, 1), kept):
        start, end = begins[node.lineno - 1] + node.col_offset, begins[node.end_lineno - 1] + node.end_col_offset
        code = source.splitlines()[node.lineno - 1].decode().strip()
        here = []
        for new in changed(copy.deepcopy(node)):
            after = ast.unparse(ast.fix_missing_locations(new))
            after = after if isinstance(new, ast.stmt | ast.Constant) else f"({after})"
            here.append(
                Fault(
                    package, file, node.lineno, node.col_offset + 1, lines, start, end, code, ast.unparse(node), after
                )
            )
        if here:
            found.append(here)
    return found


def sample(count: int, seed: int, packages: Sequence[str] = PACKAGES) -> list[Fault]:
    """`count` faults at different places, all places of all packages equally likely; fewer if there are not so many.

    A larger sample with the same seed begins with the smaller one.
    """
    chance = random.Random(seed)
    places = []
    for package in packages:
        for path in sorted((ROOT / "fmviz" / package).rglob("*.py")):
            places += faults(package, path.relative_to(ROOT).as_posix(), path.read_bytes())
    chance.shuffle(places)
    return [chance.choice(here) for here in places[:count]]


def equivalent() -> dict[tuple[str, str, int, str], str]:
    """The reasons of the faults known to change nothing, by file, code, column and what is put there."""
    known = tomllib.loads(EQUIVALENT.read_text(encoding="utf-8")).get("fault", [])
    return {(entry["file"], entry["code"], entry["column"], entry["after"]): entry["reason"] for entry in known}


@cache
def paces() -> dict[str, set[str]]:
    """By file the names of its constants that only set how much is done or remembered at once."""
    found: dict[str, set[str]] = {}
    for entry in tomllib.loads(EQUIVALENT.read_text(encoding="utf-8")).get("pace", []):
        found.setdefault(entry["file"], set()).update(entry["names"])
    return found


def _is_tolerance(node: ast.expr) -> bool:
    """Whether `node` is a constant called a tolerance, perhaps with a sign or a factor."""
    return any(isinstance(part, ast.Name) and part.id.endswith("TOLERANCE") for part in ast.walk(node))


def _is_text(node: ast.expr) -> bool:
    """Whether `node` is plainly a string, for which + means something else."""
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def _places(
    node: ast.AST, lines: tuple[int, int], kept: set[str]
) -> Iterator[tuple[ast.expr | ast.stmt, tuple[int, int]]]:
    """Expressions and statements that run, each with the lines of its statement.

    Annotations, ``__all__``, the constants `kept`, formatted text and all that is said in an error are left out.
    """
    if isinstance(node, ast.Raise | ast.JoinedStr):
        return
    if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) in {"__all__", *kept}:
        return
    if isinstance(node, ast.stmt):
        body = getattr(node, "body", None) or getattr(node, "cases", None)
        last = node.end_lineno if not body else max(node.lineno, _first_line(body[0]) - 1)
        lines = (node.lineno, last or node.lineno)
    if isinstance(node, ast.expr | ast.AugAssign):
        yield node, lines
    for field, value in ast.iter_fields(node):
        if field in ("annotation", "returns"):
            continue
        for child in value if isinstance(value, list) else [value]:
            unseen = isinstance(child, ast.keyword) and (ast.unparse(getattr(node, "func", node)), child.arg) in UNSEEN
            if isinstance(child, ast.AST) and not unseen:
                yield from _places(child, lines, kept)


def _first_line(node: ast.AST) -> int:
    return node.pattern.lineno if isinstance(node, ast.match_case) else node.lineno
