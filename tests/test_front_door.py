"""What `import fmviz` gives, and what it takes."""

import subprocess
import sys

import pytest

import fmviz

ALONE = """
import sys
sys.modules.update(dict.fromkeys({refused}))  # an import of None fails
import fmviz.theory, fmviz.learning
{then}
"""
NOT_NEEDED = {
    "streamlit",
    "plotly",
    "altair",
    "pandas",
    "pyarrow",
    "pydantic",
    "PIL",
    "ot",
    "safetensors",
    "cachetools",
}


@pytest.mark.parametrize("name", fmviz.__all__)
def test_every_name_of_the_front_door_opens(name):
    assert getattr(fmviz, name) is not None
    assert name in dir(fmviz)


def test_a_name_that_is_none_is_refused_as_of_any_module():
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = fmviz.nonsense


def test_the_front_door_imports_nothing_by_itself():
    run = "import sys, fmviz; print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", run], capture_output=True, text=True, check=True).stdout == "False\n"


def test_theory_and_learning_need_torch_alone(fresh):
    then = "next(fmviz.train(fmviz.ProbabilityPath(fmviz.GaussianMixture.standard(), fmviz.presets.get('moons'), fmviz.schedulers.get('linear')), fmviz.TrainSpec(steps=1)))"
    fresh.printed(ALONE.format(refused=NOT_NEEDED, then=then))
