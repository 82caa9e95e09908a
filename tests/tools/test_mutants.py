"""The planter of faults plants what it says, one at a time, and only in code that runs."""

import ast
from pathlib import Path

from tools.faults import PACKAGES, ROOT, equivalent, faults, paces, sample
from tools.mutants import Coverage, Covering, order

CODE = b'''"""Text 1."""
__all__ = ["f"]

def f(x: int = 3) -> float:
    if x < 2 and not x == 1:
        raise ValueError("at least", 2)
    x += 1  # \xc3\xa9
    return max(-x + 2.0 * x, len(f"{x + 7}"))
'''


def planted():
    return [fault for here in faults("theory", "code.py", CODE) for fault in here]


def test_every_kind_of_fault_is_planted():
    found = {(fault.before, fault.after) for fault in planted()}
    assert found == {
        ("3", "4"),
        ("x < 2 and (not x == 1)", "(x < 2 or not x == 1)"),
        ("x < 2", "(x <= 2)"),
        ("2", "3"),
        ("not x == 1", "(x == 1)"),
        ("x == 1", "(x != 1)"),
        ("1", "2"),
        ("x += 1", "x -= 1"),
        ("max(-x + 2.0 * x, len(f'{x + 7}'))", "(min(-x + 2.0 * x, len(f'{x + 7}')))"),
        ("-x + 2.0 * x", "(-x - 2.0 * x)"),
        ("-x + 2.0 * x", "(-x)"),
        ("-x + 2.0 * x", "(2.0 * x)"),
        ("-x", "(x)"),
        ("2.0 * x", "(2.0 / x)"),
        ("2.0", "2.02"),
    }


def test_last_axes_become_the_last_but_one_and_large_numbers_are_doubled():
    found = {(fault.before, fault.after) for here in faults("theory", "code.py", b"x.sum(-1)[:64]") for fault in here}
    assert found == {("1", "2"), ("64", "128")}


def test_what_never_shows_in_a_result_is_not_planted():
    code = b"""BLOCK = 64
@lru_cache(maxsize=4)
@dataclass(eq=False)
def f(x: int = field(repr=False)):
    return zip(x, strict=True) if x <= -MY_TOLERANCE else sorted(x, reverse=True, key=4)
"""
    found = {(fault.before, fault.after) for here in faults("theory", "code.py", code) for fault in here}
    assert found == {("64", "128"), ("True", "False"), ("4", "5"), ("-MY_TOLERANCE", "(MY_TOLERANCE)")}


def test_constants_of_pace_are_in_their_file_and_left_alone():
    for file, names in paces().items():
        source = (ROOT / file).read_bytes()
        written = {ast.unparse(node.targets[0]) for node in ast.parse(source).body if isinstance(node, ast.Assign)}
        assert names <= written, file
        lines = [source.splitlines()[fault.line - 1].decode() for here in faults("x", file, source) for fault in here]
        assert not [line for line in lines if line.split(" = ")[0] in names]


def test_a_fault_changes_one_line_and_keeps_the_rest_of_the_text():
    for fault in planted():
        lines = fault.planted(CODE).splitlines()
        differ = [k for k, (old, new) in enumerate(zip(CODE.splitlines(), lines, strict=True), 1) if old != new]
        assert differ == [fault.line], fault
        ast.parse(fault.planted(CODE))


def test_a_seed_gives_one_sample():
    one, two, other = sample(40, 1), sample(40, 1), sample(40, 2)
    assert one == two != other
    assert sample(10, 1) == one[:10]
    assert len({(fault.file, fault.start, fault.end) for fault in one}) == 40
    assert {fault.package for fault in one} <= set(PACKAGES)
    assert {fault.package for fault in sample(5, 0, ["clips"])} == {"clips"}


def test_tests_that_run_the_line_come_first_and_among_them_the_fast_ones():
    seconds = {"test_a.py::slow": 2.0, "test_a.py::quick": 0.01, "test_b.py::quick": 0.01, "test_c.py::quick": 0.01}
    coverage = Coverage(seconds, {"code.py": {7: frozenset({"test_a.py::slow", "test_a.py::quick"})}})
    fault = next(fault for fault in planted() if fault.line == 7)
    fault = type(fault)(**{**vars(fault), "file": "code.py"})
    running = coverage.running(fault)
    assert running == {"test_a.py::slow", "test_a.py::quick"}
    arranged = sorted(seconds, key=lambda test: order(test, coverage, running, "c"))
    assert arranged[:2] == ["test_a.py::quick", "test_a.py::slow"]
    unknown = sorted(seconds, key=lambda test: order(test, coverage, frozenset(), "c"))
    assert unknown[0] == "test_c.py::quick"


def test_a_line_that_also_runs_on_import_has_all_tests():
    covering = Covering(measure=None)
    covering.users["fixture path"] = {"test_a.py::one", "test_b.py::two"}
    assert covering.tests(["test_c.py::three", "fixture path"]) == [
        "test_a.py::one",
        "test_b.py::two",
        "test_c.py::three",
    ]
    assert covering.tests(["", "test_c.py::three"]) == []


def test_every_fault_listed_as_equivalent_can_be_planted():
    for (file, code, column, after), reason in equivalent().items():
        package = next(name for name in PACKAGES if Path(file).is_relative_to(Path("fmviz") / name))
        found = [fault for here in faults(package, file, (ROOT / file).read_bytes()) for fault in here]
        assert any((f.code, f.column, f.after) == (code, column, after) for f in found), (file, code)
        assert reason.endswith(".")
