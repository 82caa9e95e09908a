"""What axe-core finds: nothing serious on any page, in either theme, in either language, presented or on a phone."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe

from fmviz.lessons import LESSONS
from tests.browser.helpers import settle

PAGES = tuple("/" if lesson == LESSONS[0] else f"/{lesson.address}" for lesson in LESSONS)
LAPTOP, PHONE = {"width": 1366, "height": 768}, {"width": 390, "height": 844}
VIEWS = {
    "light": (PAGES, "", {"viewport": LAPTOP, "color_scheme": "light"}),
    "dark": (("/flows", "/train", "/theory"), "", {"viewport": LAPTOP, "color_scheme": "dark"}),
    "without an average of the weights": (("/train",), "t=0.5", {"viewport": LAPTOP, "color_scheme": "light"}),
    "presented": (("/conservation", "/train"), "present=1", {"viewport": LAPTOP, "color_scheme": "light"}),
    "phone": (("/probability-paths", "/theory"), "", {"viewport": PHONE, "color_scheme": "light"}),
    "Chinese": (("/sample",), "lang=zh", {"viewport": LAPTOP, "color_scheme": "dark"}),
}


REACHED = """() => [...document.querySelectorAll('.katex-display')].every(
    (node) => (node.tabIndex === 0) === (node.scrollWidth > node.clientWidth)
)"""
"""The page has seen which formulas scroll since they were typeset, and lets the keyboard reach these and no others."""


@pytest.mark.timeout(240)
@pytest.mark.parametrize("view", VIEWS)
def test_axe_finds_nothing_serious(open_page, view):
    pages, query, options = VIEWS[view]
    page = open_page("/theory", **options)
    origin = page.url.split("/theory")[0]
    found = []
    for path in pages:
        page.goto(f"{origin}{path}?{query}")
        if path != "/theory":
            page.locator("[data-testid=fmviz-stage]").wait_for()
        settle(page)
        page.wait_for_function(REACHED)
        answer = Axe().run(page, options={"resultTypes": ["violations"]}).response
        found += [
            (path, violation["id"], node["target"], node["html"][:120])
            for violation in answer["violations"]
            if violation["impact"] in ("serious", "critical")
            for node in violation["nodes"]
        ]
    assert not found
