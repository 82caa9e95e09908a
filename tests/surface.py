"""The library's public surface as text: every public name with its signature, every public constant with its value, one to a line.

``python -m tests.surface`` writes `SURFACE`; a test of each package holds the file against the code, so that a name, a default or
a limit changes on purpose only.
"""

from __future__ import annotations

import ast
import dataclasses
import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import fmviz.clips
import fmviz.learning
import fmviz.stage
import fmviz.theory

SURFACE = Path(__file__).with_name("surface.txt")
NEEDS_A_SERVER = ("component", "law_check")
"""Modules which only a running Streamlit can import."""


def lines(package: ModuleType) -> list[str]:
    """What the modules of a package define and name in their ``__all__``, and their constants, sorted."""
    found: set[str] = set()
    for module in _modules(package):
        for name in getattr(module, "__all__", ()):
            value = getattr(module, name)
            if getattr(value, "__module__", None) != module.__name__:
                continue
            place = f"{module.__name__}.{name}"
            if inspect.isclass(value):
                found.add(f"{place}{_signature(value)}")
                found.update(f"{place}.{each}{_signature(getattr(value, each))}" for each in _methods(value))
            elif callable(value):
                found.add(f"{place}{_signature(value)}")
        found.update(f"{module.__name__}.{name} = {getattr(module, name)!r}" for name in _constants(module))
    return sorted(found)


def changes(package: ModuleType) -> str:
    """What differs between the package and the file; empty where nothing does."""
    start = f"{package.__name__}."
    known = {line for line in SURFACE.read_text(encoding="utf-8").splitlines() if line.startswith(start)}
    now = set(lines(package))
    changed = [*sorted(f"- {line}" for line in known - now), *sorted(f"+ {line}" for line in now - known)]
    return "\n".join(["on purpose? python -m tests.surface writes it down", *changed]) if changed else ""


def _modules(package: ModuleType) -> Iterator[ModuleType]:
    yield package
    for _, name, _ in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        if not name.rsplit(".", 1)[1].startswith("_") and not name.endswith(NEEDS_A_SERVER):
            yield importlib.import_module(name)


def _constants(module: ModuleType) -> Iterator[str]:
    """The names in capitals which the module gives numbers, texts, or tuples and tables of them."""
    for statement in ast.parse(inspect.getsource(module)).body:
        targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
        for node in (node for target in targets if target is not None for node in ast.walk(target)):
            public = isinstance(node, ast.Name) and node.id.isupper() and not node.id.startswith("_")
            if public and _is_plain(getattr(module, node.id)):
                yield node.id


def _is_plain(value: object) -> bool:
    if isinstance(value, dict):
        return all(map(_is_plain, value.values()))
    return all(map(_is_plain, value)) if isinstance(value, tuple) else isinstance(value, int | float | str)


def _methods(kind: type) -> list[str]:
    return [name for name, value in vars(kind).items() if not name.startswith("_") and callable(value)]


def _signature(value: object) -> str:
    """Names and defaults; annotations are mypy's business."""
    try:
        signature = inspect.signature(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return ""
    parameters = [
        each.replace(annotation=inspect.Parameter.empty, default=_default(each.default))
        for each in signature.parameters.values()
    ]
    return str(signature.replace(parameters=parameters, return_annotation=inspect.Signature.empty))


def _default(value: object) -> object:
    plain = value is inspect.Parameter.empty or isinstance(value, (int, float, str, bytes, tuple, bool, type(None)))
    return value if plain else _Named(value)


@dataclasses.dataclass(frozen=True)
class _Named:
    """A default whose text could have an address in memory."""

    value: object

    def __repr__(self) -> str:
        return f"<{type(self.value).__name__}>"


if __name__ == "__main__":
    everything = [
        each for package in (fmviz.clips, fmviz.learning, fmviz.stage, fmviz.theory) for each in lines(package)
    ]
    SURFACE.write_text("\n".join(everything) + "\n", encoding="utf-8")
