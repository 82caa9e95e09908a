"""A network of anybody beside the exact field of its path: how wrong it is, where, and why.

Start reading in `compare`. `calling` finds out how the network is called, `readings` what its answers may mean, `diagnosis` which of that is
likely; `measures` are the numbers, `report` and `page` show them.
"""

from fmviz.comparison.compare import compare
from fmviz.comparison.report import Comparison

__all__ = ["Comparison", "compare"]
