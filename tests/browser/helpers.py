"""Helpers for tests that drive the app in a browser. Import them: ``from tests.browser.helpers import settle, stage``."""

from __future__ import annotations

from playwright.sync_api import Locator, Page

__all__ = ["settle", "stage"]


QUIET_MS = 250
"""A rerun starts a moment after the click that asks for it."""


def settle(page: Page, timeout: float = 60_000) -> None:
    """Wait until the app is on screen and its script has not been running for a moment."""
    page.wait_for_selector("[data-testid=stApp]", timeout=timeout)
    page.evaluate("() => { window.testQuietSince = null; }")
    page.wait_for_function(
        """quiet => {
            const state = document.querySelector('[data-testid=stApp]')?.dataset.testScriptState;
            if (!state || ['running', 'initial', 'rerunRequested'].includes(state)) window.testQuietSince = null;
            else window.testQuietSince ??= performance.now();
            return window.testQuietSince !== null && performance.now() - window.testQuietSince >= quiet;
        }""",
        arg=QUIET_MS,
        polling="raf",
        timeout=timeout,
    )


def stage(page: Page, index: int = 0) -> Locator:
    """The root of the player (CSS reaches into its shadow root), once it has drawn a frame."""
    root = page.locator("[data-testid=fmviz-stage]").nth(index)
    root.wait_for(state="visible", timeout=60_000)
    page.wait_for_function("e => Number(e.dataset.frames) > 0", arg=root.element_handle(), timeout=60_000)
    return root
