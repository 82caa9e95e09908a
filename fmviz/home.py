"""Where the app's own files lie: `app.py`, its pages, pictures, configuration and the document of laws.

In a checkout that is its top level. A wheel carries the same files inside the package, so that the installed app runs from
any folder.
"""

from __future__ import annotations

from pathlib import Path

__all__ = ["HOME"]

_PACKAGE = Path(__file__).resolve().parent
_INSTALLED = _PACKAGE / "served"
HOME = _INSTALLED if _INSTALLED.is_dir() else _PACKAGE.parent
