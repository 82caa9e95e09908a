"""The running app and a headless Chromium for the tests in this folder.

A page opened with `open_page` fails its test when the browser complains: a console error, an uncaught JavaScript error,
an answer of 400 or more, or an exception in the app's script.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser import helpers
from tests.browser.helpers import OpenPage
from tests.browser.tabs import Tabs
from tools.find_chromium import FLAGS, ChromiumMissing, find_chromium
from tools.serve import ServerError, serve

# A machine that is busy with other things keeps a browser waiting; what holds is found out at once all the same.
expect.set_options(timeout=20_000)

_server_log: list[Path] = []
_log_seen: dict[str, int] = {}


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """A Chromium that can be run. None is a failure, never a skip."""
    try:
        return find_chromium()
    except ChromiumMissing as missing:
        pytest.fail(str(missing), pytrace=False)


@pytest.fixture(scope="session")
def browser(chromium_path: str) -> Iterator[Browser]:
    """One headless Chromium for all tests (a thread can hold one synchronous Playwright)."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=chromium_path, args=list(FLAGS))
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def app_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The app, served from this checkout on a free port."""
    log = tmp_path_factory.mktemp("app") / "server.log"
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.delenv("FMVIZ_HELPERS", raising=False)
            with serve("app.py", log) as url:
                _server_log.append(log)
                yield url
    except ServerError as error:
        pytest.fail(str(error), pytrace=False)


def _log_size() -> int:
    return _server_log[0].stat().st_size if _server_log else 0


def _log_since(offset: int) -> str:
    return _server_log[0].read_bytes()[offset:].decode(errors="replace") if _server_log else ""


@pytest.fixture(scope="session")
def tabs(browser: Browser) -> Iterator[Tabs]:
    """The tabs opened so far, those that no test uses among them."""
    tabs = Tabs(browser)
    yield tabs
    tabs.close()


@pytest.fixture
def open_page(tabs: Tabs, request: pytest.FixtureRequest) -> Iterator[OpenPage]:
    """``open_page(url, **context_options)``: a page that knows of no other, once the app has settled.

    `url` is an address, or a path such as ``"/probability-paths"`` of the running app. Options are those of Playwright's
    ``Browser.new_context``: ``viewport``, ``color_scheme``, ``locale``, ``reduced_motion``, ``accept_downloads`` …;
    and ``init_script``, which runs before the scripts of each page.
    """
    taken: list[Page] = []
    complaints: list[str] = []
    app_url: str = request.getfixturevalue("app_url")
    log_start = _log_size()

    def open_(url: str = "/", **options: Any) -> Page:
        page = tabs.take(complaints, **options)
        taken.append(page)
        page.goto(app_url + url if url.startswith("/") else url)
        helpers.settle(page)
        return page

    yield open_
    for page in taken:
        tabs.give_back(page)
    if "Uncaught app execution" in (log := _log_since(log_start)):
        complaints.append(f"exception in the app:\n{log[-4000:]}")
    if complaints:
        pytest.fail("The browser complained:\n" + "\n".join(complaints), pytrace=False)


@pytest.fixture
def settle() -> Callable[..., None]:
    """`tests.browser.helpers.settle`, for tests that prefer a fixture."""
    return helpers.settle


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    _log_seen[item.nodeid] = _log_size()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    outcome = yield
    report = outcome.get_result()
    if report.failed and (log := _log_since(_log_seen.get(item.nodeid, 0)).strip()):
        report.sections.append(("server log", log[-8000:]))
