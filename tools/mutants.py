"""Plants small faults in the code, one at a time in a copy of it, and lists those that the tests of their package let pass.

Usage: make mutants ARGS="--count 200 --seed 0 --workers 2 --packages theory clips"

The tests of each package run once with the faults' files unchanged, to learn which test runs which line, by itself or in
a fixture. This process has imported torch and pytest, but nothing of fmviz: for each fault it forks, and the child imports
fmviz from a copy with the fault and runs the tests that run the changed statement, the fastest first, until one fails. A
statement that runs on import, or never, has all tests of the package. Exit status 1 below 95 % noticed.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import hashlib
import importlib
import json
import multiprocessing
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

import pytest

if __name__ == "__main__":  # run as a program, only its folder is on the path
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from tools.faults import PACKAGES, ROOT, Fault, equivalent, sample

__all__ = ["Chosen", "Coverage", "Covering", "Outcome", "forked", "main", "order"]

CACHE = ROOT / ".mutants_cache"
WANTED = 0.95
TEST_TIMEOUT = 30
"""Seconds for one test, six times what the slowest takes: a fault may make a loop endless."""
TIMEOUT = 600
"""Seconds for all tests of a package."""
PRELOADED = (
    "numpy",
    "scipy.integrate",
    "scipy.stats",
    "torch",
    "torchdiffeq",
    "ot",
    "pydantic",
    "safetensors.torch",
    "PIL",
)
"""What fmviz and its tests import from elsewhere and takes long."""


@dataclass(frozen=True)
class Coverage:
    """Of one package: the seconds of each test by its name, and by file and line the tests that run it."""

    seconds: dict[str, float]
    tests: dict[str, dict[int, frozenset[str]]]

    def running(self, fault: Fault) -> frozenset[str]:
        """The tests that run a line of the fault's statement; none for what runs on import."""
        lines = self.tests.get(fault.file, {})
        first, last = fault.lines
        return frozenset().union(*(lines.get(line, frozenset()) for line in range(first, last + 1)))


@dataclass(frozen=True)
class Outcome:
    """What became of a fault: "noticed", "timed out" or "survived", by which test, and after how many seconds."""

    verdict: str
    by: str
    seconds: float


def order(test: str, coverage: Coverage, running: frozenset[str], stem: str) -> tuple[int, int]:
    """Where a test comes in the run for a fault in the module `stem`: those of its name first if none is known to run it.

    Otherwise by time, in steps of a factor of four, so that tests that share a costly fixture mostly stay together. A
    test that was not there before comes first.
    """
    if test not in coverage.seconds:
        return 0, 0
    if not running:
        return (0 if f"test_{stem}." in test else 1), 0
    nearness = 0 if test in running else 1
    seconds, step = coverage.seconds[test], 0
    while seconds > 0.05:
        seconds, step = seconds / 4.0, step + 1
    return nearness, step


class Covering:
    """A plugin of pytest that tells `coverage` which test runs, and notes how long each takes."""

    def __init__(self, measure: Any) -> None:
        self.measure = measure
        self.seconds: dict[str, float] = {}
        self.users: dict[str, set[str]] = {}
        """By the name of a fixture that tests share, those that use it."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        self.current = item.nodeid
        for name in getattr(item, "fixturenames", ()):
            self.users.setdefault(f"fixture {name}", set()).add(item.nodeid)
        for name, module in list(sys.modules.items()):
            if name.split(".")[0] in ("fmviz", "tests"):
                for value in list(vars(module).values()):
                    if not isinstance(value, type) and callable(getattr(value, "cache_clear", None)):
                        value.cache_clear()
        self.measure.switch_context(item.nodeid)

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[Any]) -> Any:
        before = self.current
        if fixturedef.scope != "function":
            self.current = f"fixture {fixturedef.argname}"
            self.measure.switch_context(self.current)
        try:
            return (yield)
        finally:
            if self.current != before:
                self.current = before
                self.measure.switch_context(before)

    def tests(self, contexts: Sequence[str]) -> list[str]:
        """The tests of some contexts: a test is one, and a fixture stands for all its users. None for what also runs on import."""
        if "" in contexts:
            return []
        return sorted(set().union(*(self.users.get(name, {name}) for name in contexts)))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.seconds[report.nodeid] = self.seconds.get(report.nodeid, 0.0) + report.duration


class Chosen:
    """A plugin of pytest that chooses and orders tests, and notes which failed first and whether it was for time."""

    def __init__(self, wanted: Callable[[str], bool], key: Callable[[str], tuple[int, int]]) -> None:
        self.wanted, self.key = wanted, key
        self.failed = ""
        self.hung = False

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = sorted((item for item in items if self.wanted(item.nodeid)), key=lambda item: self.key(item.nodeid))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed and not self.failed:
            self.failed = report.nodeid
            self.hung = "Timeout (>" in str(report.longrepr)


def _pytest(copied: Path, package: str, *more: str, plugin: object) -> int:
    """The exit status of the tests of a package in a copy of the project; for a child process only, for it changes it."""
    os.chdir(copied)
    os.environ["PYTHONPATH"] = str(copied)
    sys.path[:] = [str(copied), *(entry for entry in sys.path if Path(entry).resolve() != ROOT)]
    for name in [name for name in sys.modules if name.split(".")[0] in ("fmviz", "tests", "tools")]:
        del sys.modules[name]
    arguments = [f"tests/{package}", "-q", "-m", "not browser", "-p", "no:cacheprovider", f"--rootdir={copied}", *more]
    return int(pytest.main(arguments, plugins=[plugin]))


def _cover(copied: Path, package: str) -> dict[str, Any]:
    """Runs the tests of a package as they are; the fields of its `Coverage` as JSON can hold them."""
    import coverage

    measure = coverage.Coverage(data_file=None, source=[str(copied / "fmviz" / package)], config_file=False)
    covering = Covering(measure)
    measure.start()
    status = _pytest(copied, package, f"--timeout={TEST_TIMEOUT}", plugin=covering)
    measure.stop()
    if status != 0:
        raise SystemExit(f"the tests of {package} fail without any fault")
    data, lines = measure.get_data(), {}
    for file in data.measured_files():
        by_line = data.contexts_by_lineno(file).items()
        lines[Path(file).relative_to(copied).as_posix()] = {n: covering.tests(contexts) for n, contexts in by_line}
    return {"seconds": covering.seconds, "tests": lines}


def _try(copied: Path, fault: Fault, coverage: Coverage) -> dict[str, Any]:
    """Runs the tests of the fault's package in a copy that has the fault."""
    running, stem = coverage.running(fault), Path(fault.file).stem
    chosen = Chosen(
        lambda test: not running or test in running or test not in coverage.seconds,
        lambda test: order(test, coverage, running, stem),
    )
    status = _pytest(copied, fault.package, "-x", f"--timeout={TEST_TIMEOUT}", plugin=chosen)
    if status == 0:
        return {"verdict": "survived", "by": f"{len(running)} tests run it"}
    return {"verdict": "timed out" if chosen.hung else "noticed", "by": chosen.failed or "on import"}


def _child(answer: Connection, log: Path, work: Callable[[], dict[str, Any]]) -> None:
    """In the child: does the work, quietly, as the head of a process group of its own."""
    os.setsid()
    with log.open("wb") as file:
        for stream in (1, 2):
            os.dup2(file.fileno(), stream)
    answer.send(work())
    answer.close()


class Running:
    """A child process at work."""

    def __init__(self, work: Callable[[], dict[str, Any]], log: Path) -> None:
        context = multiprocessing.get_context("fork")
        self.answer, theirs = context.Pipe(duplex=False)
        self.log, self.began = log, time.monotonic()
        self.process = context.Process(target=_child, args=(theirs, log, work))
        self.process.start()
        theirs.close()

    def end(self, timeout: float) -> dict[str, Any] | None:
        """The answer if there is one; an empty one if the child died or had more than `timeout` seconds; else None."""
        seconds = time.monotonic() - self.began
        if self.answer.poll():
            with contextlib.suppress(EOFError):
                result: dict[str, Any] = self.answer.recv()
                self._stop()
                return {**result, "spent": seconds}
        elif seconds < timeout and self.process.is_alive():
            return None
        self._stop()
        return {"spent": seconds}

    def _stop(self) -> None:
        """Ends the child with all that it started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid or 0, signal.SIGKILL)
        self.process.join()
        self.answer.close()


def forked(
    jobs: Sequence[tuple[Any, Callable[[Path], Callable[[], dict[str, Any]]]]], copies: Sequence[Path], timeout: float
) -> Iterator[tuple[Any, dict[str, Any], Path]]:
    """Does jobs in child processes, one in each copy of the project at a time; yields name, answer and log as they end.

    A job is a name and a function that prepares a copy for it and returns the work.
    """
    waiting, free, busy = list(jobs)[::-1], list(copies), {}
    while waiting or busy:
        while waiting and free:
            name, prepare = waiting.pop()
            copied = free.pop()
            busy[copied] = name, Running(prepare(copied), copied.parent / f"{copied.name}.log")
        wait([one.answer for _, one in busy.values()], timeout=5.0)
        for copied, (name, one) in list(busy.items()):
            result = one.end(timeout)
            if result is not None:
                del busy[copied]
                free.append(copied)
                yield name, result, one.log


def _covered(packages: Sequence[str], copies: Sequence[Path]) -> dict[str, Coverage]:
    """The coverage of each package, measured or as kept from a time when all files were the same."""
    files, jobs = {}, []
    for package in packages:
        digest = hashlib.sha256()
        for folder in ("fmviz", f"tests/{package}"):
            for path in sorted((ROOT / folder).rglob("*.py")):
                digest.update(path.read_bytes())
        files[package] = CACHE / f"{package.replace('/', '-')}-{digest.hexdigest()[:16]}.json"
        if not files[package].exists():
            jobs.append((package, lambda copied, package=package: lambda: _cover(copied, package)))
    for package, result, log in forked(jobs, copies, 2.0 * TIMEOUT):
        if "tests" not in result:
            raise SystemExit(f"{log.read_text()[-4000:]}\nThe tests of {package} fail without any fault.")
        CACHE.mkdir(exist_ok=True)
        for old in CACHE.glob(f"{package.replace('/', '-')}-*.json"):
            old.unlink()
        files[package].write_text(json.dumps(result))
        print(f"{len(result['seconds'])} tests of {package} in {result['spent']:.0f} s, with coverage", flush=True)
    found = {}
    for package, file in files.items():
        kept = json.loads(file.read_text())
        tests = {
            name: {int(line): frozenset(some) for line, some in lines.items()} for name, lines in kept["tests"].items()
        }
        found[package] = Coverage(kept["seconds"], tests)
    return found


def outcomes(chosen: Sequence[Fault], workers: int) -> Iterator[tuple[Fault, Outcome]]:
    """Plants each fault in a copy of the project and tells what became of it, in the order in which they end."""
    # As in tests/conftest.py, which comes too late here. With more threads than cores tests hang, and count as noticed.
    os.environ.update(OMP_NUM_THREADS="1", MKL_NUM_THREADS="1")
    for name in PRELOADED:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    with tempfile.TemporaryDirectory() as folder:
        copies = [Path(folder).resolve() / f"fmviz{k}" for k in range(workers)]
        leave = shutil.ignore_patterns(".git", ".venv", "__pycache__", ".*_cache", "build", "dist")
        for copied in copies:
            shutil.copytree(ROOT, copied, ignore=leave)
        coverage = _covered(sorted({fault.package for fault in chosen}), copies)
        planted: dict[Path, str] = {}

        def prepared(fault: Fault) -> Callable[[Path], Callable[[], dict[str, Any]]]:
            def prepare(copied: Path) -> Callable[[], dict[str, Any]]:
                if copied in planted:
                    shutil.copyfile(ROOT / planted[copied], copied / planted[copied])
                planted[copied] = fault.file
                (copied / fault.file).write_bytes(fault.planted((ROOT / fault.file).read_bytes()))
                return lambda: _try(copied, fault, coverage[fault.package])

            return prepare

        for fault, result, _ in forked([(fault, prepared(fault)) for fault in chosen], copies, TIMEOUT):
            dead = "timed out" if result["spent"] >= TIMEOUT else "noticed"
            yield fault, Outcome(result.get("verdict", dead), result.get("by", "the process ended"), result["spent"])


def control(packages: Sequence[str], workers: int) -> int:
    """Whether the machinery by itself makes no test fail or hang; without that "noticed" would mean nothing."""
    nothing = []
    for package in packages:
        fault = sample(1, 0, [package])[0]
        there = (ROOT / fault.file).read_bytes()[fault.start : fault.end].decode()
        nothing.append(dataclasses.replace(fault, after=there))
    status = 0
    for fault, outcome in outcomes(nothing, workers):
        status = status if outcome.verdict == "survived" else 1
        print(f"{fault.package}: {outcome.verdict} [{outcome.by}, {outcome.seconds:.1f} s]", flush=True)
    return status


def main(arguments: Sequence[str] | None = None) -> int:
    """Plants the sample and prints what becomes of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=200, help="how many faults")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2, help="processes at a time")
    parser.add_argument("--packages", nargs="+", default=PACKAGES, help="folders below fmviz")
    parser.add_argument(
        "--control", action="store_true", help="plant one change of nothing a package: all must survive"
    )
    asked = parser.parse_args(arguments)
    if asked.control:
        return control(asked.packages, asked.workers)
    began, known = time.monotonic(), equivalent()
    drawn = sample(asked.count, asked.seed, asked.packages)
    reasons = {fault: known.get((fault.file, fault.code, fault.column, fault.after)) for fault in drawn}
    chosen = [fault for fault in drawn if reasons[fault] is None]
    for fault, reason in reasons.items():
        if reason is not None:
            print(f"equivalent  {_shown(fault)}\n            {reason}")
    count = dict.fromkeys(("noticed", "timed out", "survived"), 0)
    for fault, outcome in outcomes(chosen, asked.workers):
        count[outcome.verdict] += 1
        word = outcome.verdict.upper() if outcome.verdict == "survived" else outcome.verdict
        print(f"{word:11} {_shown(fault)}  [{outcome.by}, {outcome.seconds:.1f} s]", flush=True)
    noticed = len(chosen) - count["survived"]
    share = noticed / len(chosen) if chosen else 1.0
    print(
        f"{noticed} of {len(chosen)} faults noticed ({share:.1%}, wanted {WANTED:.0%}), {count['timed out']} of them by time; "
        f"{len(drawn) - len(chosen)} more are equivalent. {time.monotonic() - began:.0f} s"
    )
    return 0 if share >= WANTED else 1


def _shown(fault: Fault) -> str:
    return f"{fault.file}:{fault.line}:{fault.column}  {fault.before}  ->  {fault.after}"


if __name__ == "__main__":
    sys.exit(main())
