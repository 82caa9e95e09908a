"""The planter of faults plants what it says, one at a time, and only in code that runs."""

import ast

from tools.mutants import faults, sample

CODE = '''"""Text 1."""
__all__ = ["f"]

def f(x: int = 3) -> float:
    if x < 2 and not x == 1:
        raise ValueError("at least", 2)
    return -x + 2.0 * x
'''


def test_every_kind_of_fault_is_planted_once(tmp_path):
    file = tmp_path / "code.py"
    file.write_text(CODE)
    found = {(fault.before, fault.after) for fault in faults(file)}
    assert ("x < 2", "x <= 2") in found
    assert ("3", "4") in found
    assert ("-x + 2.0 * x", "-x - 2.0 * x") in found
    assert ("-x + 2.0 * x", "-x") in found
    assert ("2.0 * x", "2.0 / x") in found
    assert ("-x", "x") in found
    assert ("x == 1", "x != 1") in found
    assert not any("at least" in before or before == "'f'" for before, _ in found)
    plain = ast.unparse(ast.parse(CODE)).splitlines()
    for fault in faults(file):
        lines = fault.source().splitlines()
        assert len(lines) == len(plain)
        assert sum(a != b for a, b in zip(lines, plain, strict=True)) == 1, fault.before


def test_a_seed_gives_one_sample():
    one, two, other = sample(4, 1), sample(4, 1), sample(4, 2)
    assert [(fault.file, fault.line, fault.after) for fault in one] == [(f.file, f.line, f.after) for f in two]
    assert one != other
    assert len({(fault.file, fault.line, fault.before, fault.after) for fault in one}) == 4
