"""Tabs that one test after the other uses.

A tab of its own is a process of its own, which reads and compiles all scripts of the app anew: a page costs twice as much
there. A tab that is used again keeps nothing of the page before but what the engine has compiled.
"""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Error, Page, Response

from tests.browser.helpers import LISTEN

__all__ = ["LAPTOP", "Tabs"]

LAPTOP = {"width": 1366, "height": 768}
BETWEEN = "() => new URL('/_stcore/health', location.href).href"
"""An address beside that of a page, and no page of the app: where it is, the page before it has been left."""


class Tabs:
    """The tabs of a browser by the options of their context, and who hears what the browser complains of in them."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._contexts: dict[str, BrowserContext] = {}
        self._options: dict[Page, dict[str, Any]] = {}
        self._idle: dict[str, list[Page]] = {}
        self._complaints: dict[Page, tuple[list[str], bool]] = {}

    def take(
        self, complaints: list[str], *, warnings: bool = False, init_script: str | None = None, **options: Any
    ) -> Page:
        """A tab that shows no page yet.

        Args:
            complaints: takes a line for each console error, uncaught JavaScript error and answer of 400 or more.
            warnings: whether it takes one for each console warning, too.
            init_script: runs before the scripts of each page.
            options: those of Playwright's ``Browser.new_context``.
        """
        options = {"viewport": LAPTOP} | options
        key = repr((init_script, sorted(options.items())))
        if key not in self._contexts:
            self._contexts[key] = context = self._browser.new_context(**options)
            context.add_init_script(LISTEN)
            if init_script:
                context.add_init_script(init_script)
        idle = self._idle.setdefault(key, [])
        page = idle.pop() if idle else self._open(self._contexts[key])
        page.bring_to_front()  # behind another tab it would draw a frame now and then
        self._options[page] = options | {"key": key}
        self._complaints[page] = (complaints, warnings)
        return page

    def give_back(self, page: Page) -> None:
        """Leave the page in a tab, and make the tab as it was when it was new. One that cannot be left is closed."""
        options = self._options.pop(page)
        try:
            self._clear(page, options)
        except Error:  # its server has ended, or the test has closed it
            self._complaints.pop(page, None)
            page.close()
        else:
            self._idle[options["key"]].append(page)

    def close(self) -> None:
        """Close them all."""
        for context in self._contexts.values():
            context.close()

    def _open(self, context: BrowserContext) -> Page:
        page = context.new_page()
        page.on("console", lambda message: self._hear_console(page, message))
        page.on("pageerror", lambda error: self._hear(page, f"uncaught: {error}"))
        page.on("response", lambda answer: self._hear_answer(page, answer))
        return page

    def _clear(self, page: Page, options: dict[str, Any]) -> None:
        served = page.url.startswith("http")
        between = page.evaluate(BETWEEN) if served else "about:blank"
        self._complaints.pop(page)
        page.unroute_all()
        page.goto(between)
        if served:
            page.evaluate("() => { localStorage.clear(); sessionStorage.clear(); }")
        page.mouse.up()
        page.mouse.move(-1, -1)
        page.emulate_media(
            media="null",
            color_scheme=options.get("color_scheme", "light"),
            reduced_motion=options.get("reduced_motion", "no-preference"),
        )
        if page.viewport_size != options["viewport"]:
            page.set_viewport_size(options["viewport"])
        session = page.context.new_cdp_session(page)
        session.send("Page.resetNavigationHistory")
        session.detach()

    def _hear(self, page: Page, complaint: str) -> None:
        if page in self._complaints:
            self._complaints[page][0].append(complaint)

    def _hear_console(self, page: Page, message: ConsoleMessage) -> None:
        warnings = page in self._complaints and self._complaints[page][1]
        # A load that fails is told by its answer.
        if (message.type == "error" and "Failed to load resource" not in message.text) or (
            message.type == "warning" and warnings
        ):
            self._hear(page, f"console: {message.text}")

    def _hear_answer(self, page: Page, answer: Response) -> None:
        # A page opened by its own address first probes /_stcore below that address: those answers are not the app's.
        if answer.status >= 400 and "/_stcore/" not in answer.url:
            self._hear(page, f"{answer.status}: {answer.url}")
