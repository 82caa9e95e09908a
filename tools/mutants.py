"""Plants small faults in the code, one at a time in a copy of it, and lists those that the tests of their package let pass.

``make mutants ARGS="--count 200 --seed 0"``. A fault is a changed number, sign, operator or comparison, a dropped term of a
sum, or a flipped truth value. Faults that change nothing that can be observed are listed, with the reason, in
``tools/equivalent_mutants.toml`` and are not planted. Exit status 1 below 95 % noticed.
"""

from __future__ import annotations

import argparse
import ast
import copy
import os
import random
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("theory", "learning", "clips", "stage")
"""Each with its tests in the folder of the same name below ``tests``."""
EQUIVALENT = ROOT / "tools" / "equivalent_mutants.toml"
WANTED = 0.95
TIMEOUT = 900

SWAPPED: dict[type[ast.AST], type[ast.AST]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.And: ast.Or,
    ast.Or: ast.And,
}


@dataclass(frozen=True)
class Fault:
    """One fault: the file, the line, the expression before and after, and where it lies (`index` of the expression, `number` of the fault)."""

    file: Path
    line: int
    before: str
    after: str
    index: int
    number: int

    def source(self) -> str:
        """The whole file with the fault in it."""
        tree = ast.parse(self.file.read_text(encoding="utf-8"))
        place = list(expressions(tree))[self.index]
        new = list(changed(copy.deepcopy(place)))[self.number]

        class Planter(ast.NodeTransformer):
            def visit(self, node: ast.AST) -> ast.AST:
                return ast.copy_location(new, node) if node is place else self.generic_visit(node)

        return ast.unparse(ast.fix_missing_locations(Planter().visit(tree)))


def changed(node: ast.expr) -> Iterator[ast.expr]:
    """The expressions that could stand in place of `node` by mistake."""
    match node:
        case ast.Constant(value=bool() as value):
            yield ast.Constant(not value)
        case ast.Constant(value=int() as value):
            yield ast.Constant(value + 1)
        case ast.Constant(value=float() as value):
            yield ast.Constant(value * 1.01 if value else 0.01)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            yield operand
        case ast.BinOp(left=left, op=op, right=right):
            if type(op) in SWAPPED:
                yield ast.BinOp(left, SWAPPED[type(op)](), right)
            if isinstance(op, ast.Add | ast.Sub):
                yield left
        case ast.Compare(left=left, ops=[op], comparators=others) if type(op) in SWAPPED:
            yield ast.Compare(left, [SWAPPED[type(op)]()], others)
        case ast.BoolOp(op=op, values=values):
            yield ast.BoolOp(SWAPPED[type(op)](), values)


def expressions(tree: ast.AST) -> Iterator[ast.expr]:
    """Expressions that run: no annotations, no ``__all__``, nothing of an error's message."""
    for field, value in ast.iter_fields(tree):
        if field in ("annotation", "returns") or isinstance(tree, ast.Raise):
            continue
        if isinstance(tree, ast.Assign) and ast.unparse(tree.targets[0]) == "__all__":
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.expr):
                yield child
            if isinstance(child, ast.AST):
                yield from expressions(child)


def faults(file: Path) -> list[Fault]:
    """All faults that can be planted in `file`."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return [
        Fault(file, node.lineno, ast.unparse(node), ast.unparse(new), index, number)
        for index, node in enumerate(list(expressions(tree)))
        for number, new in enumerate(changed(copy.deepcopy(node)))
    ]


def sample(count: int, seed: int) -> list[Fault]:
    """`count` faults, spread over the files of all packages by chance; those known to change nothing are left out."""
    chance = random.Random(seed)
    known = tomllib.loads(EQUIVALENT.read_text(encoding="utf-8")).get("fault", [])
    equivalent = {(entry["file"], entry["before"], entry["after"]) for entry in known}
    files = [file for package in PACKAGES for file in sorted((ROOT / "fmviz" / package).rglob("*.py"))]
    weights = [len(file.read_text(encoding="utf-8")) for file in files]
    wanted: dict[tuple[Path, int, str, str], Fault] = {}
    pool: dict[Path, list[Fault]] = {}
    while len(wanted) < count:
        (file,) = chance.choices(files, weights)
        choices = pool.setdefault(file, faults(file))
        if choices:
            fault = chance.choice(choices)
            name = str(file.relative_to(ROOT))
            if (name, fault.before, fault.after) not in equivalent:
                wanted[file, fault.line, fault.before, fault.after] = fault
    return list(wanted.values())


def noticed(fault: Fault, copied: Path) -> bool:
    """Whether the tests of the package fail, or hang, with the fault in the copy of the project."""
    name = fault.file.relative_to(ROOT)
    tests = Path("tests") / name.parts[1]
    first = tests / f"test_{fault.file.stem}.py"
    chosen = [str(path) for path in (first, tests) if (copied / path).exists()]
    (copied / name).write_text(fault.source(), encoding="utf-8")
    try:
        command = [sys.executable, "-m", "pytest", *chosen, "-x", "-q", "-m", "not browser", "-p", "no:cacheprovider"]
        environment = {**os.environ, "PYTHONPATH": str(copied)}
        done = subprocess.run(command, cwd=copied, env=environment, capture_output=True, timeout=TIMEOUT, check=False)
    except subprocess.TimeoutExpired:
        return True
    finally:
        shutil.copy(fault.file, copied / name)
    return done.returncode != 0


def main() -> int:
    """Plants the sample and prints what survives."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    chosen = sample(asked.count, asked.seed)
    survived = 0
    with tempfile.TemporaryDirectory() as folder:
        copied = Path(folder) / "fmviz"
        leave = shutil.ignore_patterns(".git", ".venv", "__pycache__", ".*_cache", "build", "dist")
        shutil.copytree(ROOT, copied, ignore=leave)
        for fault in chosen:
            seen = noticed(fault, copied)
            survived += not seen
            where = f"{fault.file.relative_to(ROOT)}:{fault.line}"
            print(f"{'noticed ' if seen else 'SURVIVED'} {where}  {fault.before}  ->  {fault.after}", flush=True)
    share = 1 - survived / len(chosen)
    print(f"{len(chosen) - survived} of {len(chosen)} faults noticed ({share:.1%}, wanted {WANTED:.0%})")
    return 0 if share >= WANTED else 1


if __name__ == "__main__":
    sys.exit(main())
