"""What `AppTest` finds among the installed packages, looked for once a process."""

from __future__ import annotations

import functools
import sys


def scan_once() -> None:
    """Every new `AppTest` reads the metadata of all installed packages in search of components: a fifth of a second each time."""
    if "streamlit.testing.v1" not in sys.modules:
        return
    from streamlit.components.v2 import manifest_scanner

    if not hasattr(manifest_scanner.scan_component_manifests, "cache_info"):
        manifest_scanner.scan_component_manifests = functools.cache(manifest_scanner.scan_component_manifests)
