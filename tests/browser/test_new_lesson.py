"""The lesson of docs/new-lesson.md in a browser: found in the navigation, opened by its link, playing."""

from tests.browser.helpers import settle
from tests.test_new_lesson import with_the_lesson
from tools.serve import serve


def test_a_browser_finds_the_lesson_and_it_plays(open_page, tmp_path):
    with serve("app.py", tmp_path / "server.log", root=with_the_lesson(tmp_path / "fmviz")) as url:
        page = open_page(f"{url}/orbit?turns=2", viewport={"width": 1920, "height": 1080})
        page.get_by_role("link", name="Orbit").first.wait_for()
        page.wait_for_function(
            """() => {
                const find = (root) => {
                    for (const e of root.querySelectorAll("*")) {
                        if (e.dataset && e.dataset.testid === "fmviz-stage") return e;
                        const inner = e.shadowRoot && find(e.shadowRoot);
                        if (inner) return inner;
                    }
                    return null;
                };
                const stage = find(document);
                return stage && Number(stage.dataset.frames) > 20;
            }""",
            timeout=60_000,
        )
        settle(page)  # what the page still loads it must get before the server ends
