"""How objects of the library show themselves: one line of text, and in a notebook a small picture.

The picture is drawn by a room above, which the theory does not import but names, and which needs NumPy: without it a notebook
shows the line.
"""

__all__ = ["one_line", "picture"]

import dataclasses
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from torch import Tensor

_DRAWN_BY = "fmviz.figures.small"
_LONGEST_PART = 80
_MOST_NUMBERS = 6


def one_line(self: Any) -> str:
    """The repr of a dataclass in one line: numbers as they are, of arrays the shape and the type.

    Used as ``__repr__ = one_line`` in the body of the class.
    """
    parts = (f"{f.name}={_part(getattr(self, f.name))}" for f in dataclasses.fields(self) if f.repr)
    return f"{type(self).__name__}({', '.join(parts)})"


def picture(self: Any) -> str | None:
    """A small picture as HTML, for a notebook; None where nothing is there to draw it.

    Used as ``_repr_html_ = picture`` in the body of the class.
    """
    if find_spec("numpy") is None:
        return None
    html: str | None = import_module(_DRAWN_BY).html(self)
    return html


def _part(value: Any) -> str:
    shape = getattr(value, "shape", None)
    if shape == ():
        return f"{float(value):.6g}"
    if isinstance(shape, tuple):
        place = "" if not isinstance(value, Tensor) or value.device.type == "cpu" else f" on {value.device}"
        return f"<{tuple(shape)} {str(value.dtype).removeprefix('torch.')}{place}>"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, tuple | list | dict) and len(value) > _MOST_NUMBERS:
        return f"<{len(value)} values>"
    if callable(value) and hasattr(value, "__name__"):
        return str(value.__name__)
    text = repr(value)
    return text if len(text) <= _LONGEST_PART and "\n" not in text else f"<{type(value).__name__}>"
