"""Print a table of all benches, or of those named: ``python -m bench clip``. Status 1 when a target is missed."""

from __future__ import annotations

import importlib
import math
import pkgutil
import sys
import traceback
from collections.abc import Iterator

import bench
from bench.report import Row

LINE = "{:<66} {:>9} {:<7} {:<14} {}"


def modules(wanted: list[str]) -> list[str]:
    """The names of the bench modules, all or those asked for."""
    names = [m.name for m in pkgutil.iter_modules(bench.__path__) if m.name not in {"__main__", "report"}]
    if unknown := set(wanted) - set(names):
        raise SystemExit(f"no such bench: {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    return [name for name in names if not wanted or name in wanted]


def run(name: str) -> Iterator[Row]:
    """The rows of one bench; one that breaks counts as missed, and the others still run."""
    module = importlib.import_module(f"bench.{name}")
    rows = getattr(module, "rows", None)
    if rows is None:
        return
    try:
        yield from rows()
    except Exception:
        traceback.print_exc()
        yield Row(f"{name}: broke, see above", math.nan, "", "to run", False)


def main() -> int:
    """Runs the benches and prints as it goes."""
    missed = 0
    print(LINE.format("", "value", "unit", "target", ""))
    for name in modules(sys.argv[1:]):
        print(f"\n{name}", flush=True)
        for row in run(name):
            verdict = "" if row.ok is None else "ok" if row.ok else "MISSED"
            print(
                LINE.format(
                    "  " + row.name,
                    f"{row.value:.2f}" if abs(row.value) >= 0.1 else f"{row.value:.1e}",
                    row.unit,
                    row.target,
                    verdict,
                ),
                flush=True,
            )
            missed += row.ok is False
    print(f"\n{missed} target(s) missed" if missed else "\nall targets met")
    return min(missed, 1)


if __name__ == "__main__":
    raise SystemExit(main())
