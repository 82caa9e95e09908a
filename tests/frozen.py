"""What packages pass around are frozen dataclasses (CONTRIBUTING.md, style 2)."""

import dataclasses
import importlib
import pkgutil
from types import ModuleType


def dataclasses_of(package: ModuleType) -> dict[str, type]:
    """All dataclasses that the modules of a package define, by name."""
    found = {}
    for _, name, _ in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        module = importlib.import_module(name)
        for value in vars(module).values():
            if isinstance(value, type) and dataclasses.is_dataclass(value) and value.__module__ == name:
                found[f"{name}.{value.__qualname__}"] = value
    return found


def changeable(package: ModuleType) -> list[str]:
    """The dataclasses of a package that are not frozen."""
    return [name for name, one in dataclasses_of(package).items() if not one.__dataclass_params__.frozen]
