"""Helpers for tests that drive the app in a browser. Import them: ``from tests.browser.helpers import settle, stage``."""

from __future__ import annotations

from playwright.sync_api import Locator, Page

__all__ = ["settle", "stage"]


def settle(page: Page, timeout: float = 60_000) -> None:
    """Wait until the app is on screen and its script is not running."""
    page.wait_for_selector("[data-testid=stApp]", timeout=timeout)
    page.wait_for_function(
        """() => {
            const app = document.querySelector('[data-testid=stApp]');
            return app && app.dataset.testScriptState && !['running', 'initial'].includes(app.dataset.testScriptState)
                && app.dataset.testConnectionState !== 'CONNECTING'
                && !document.querySelector('[data-testid=stAppSkeleton]');
        }""",
        timeout=timeout,
    )


def stage(page: Page, index: int = 0) -> Locator:
    """The root of the player (CSS reaches into its shadow root), once it has drawn a frame."""
    root = page.locator("[data-testid=fmviz-stage]").nth(index)
    root.wait_for(state="visible", timeout=60_000)
    page.wait_for_function("e => Number(e.dataset.frames) > 0", arg=root.element_handle(), timeout=60_000)
    return root
