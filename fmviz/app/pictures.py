"""Small pictures on a page."""

from __future__ import annotations

import base64
from typing import Literal

import streamlit as st

__all__ = ["show_png", "show_svg"]


def show_png(content: bytes, *, width: int, alt: str) -> None:
    """A PNG."""
    _show("image/png", content, width, alt)


def show_svg(content: str, *, alt: str) -> None:
    """An SVG, as wide as its place."""
    _show("image/svg+xml", content.encode(), "stretch", alt)


def _show(kind: str, content: bytes, width: int | Literal["stretch"], alt: str) -> None:
    """Inside the page: as a file of its own it may be gone by the time the browser asks for it."""
    st.image(f"data:{kind};base64,{base64.b64encode(content).decode()}", width=width, alt=alt)
