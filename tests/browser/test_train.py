"""Training in a browser: start, pause, replay, exports, two people at once, a learning rate that is far too high."""

from __future__ import annotations

import re
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from fmviz.learning import checkpoint
from tests.browser.helpers import OpenPage, Stage, choose, english, query, settle, wait_for_query, widget

SMALL = "width=16&depth=2&batch=64"
SHORT = f"/train?{SMALL}&train=300"
LONG = f"/train?{SMALL}&train=200000"
SLOW_MACHINE = 60_000

# Pixels that are neither ink nor ground.
COLOURED = """canvas => {
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    let found = 0;
    for (let i = 0; i < data.length; i += 4) {
        const rgb = [data[i], data[i + 1], data[i + 2]];
        if (data[i + 3] > 200 && Math.max(...rgb) - Math.min(...rgb) > 60) found += 1;
    }
    return found;
}"""


def press(page: Page, what: str) -> None:
    widget(page, f"train_{what}").get_by_role("button").click()


def progress(page: Page) -> str:
    return page.get_by_test_id("fmviz-progress").first.inner_text()


def wait_for(page: Page, pattern: str) -> str:
    # While a page is built again an old line may stand below the new one for a moment.
    expect(page.get_by_test_id("fmviz-progress").first).to_contain_text(re.compile(pattern), timeout=SLOW_MACHINE)
    return progress(page)


def state(name: str) -> str:
    return english(f"train.state.{name}")


def step(text: str) -> int:
    found = re.search(r"step (\d+) of", text)
    assert found, text
    return int(found[1])


@pytest.fixture
def trained(open_page: OpenPage) -> tuple[Page, Stage]:
    page = open_page(f"{SHORT}&t=0.5", accept_downloads=True)
    stage = Stage(page)
    stage.wait("Number(s.frames) > 0")
    press(page, "go")
    wait_for(page, state("finished"))
    settle(page)
    return page, stage


def test_start_moves_the_stage_and_keeps_the_clock(open_page):
    page = open_page(f"{LONG}&t=0.5")
    stage = Stage(page)
    stage.wait("Number(s.frames) > 0")
    first = stage.data("clip")
    press(page, "go")
    wait_for(page, r"step [1-9]")
    stage.wait(f"s.clip !== '{first}'")
    second = stage.data("clip")
    stage.wait(f"s.clip !== '{second}'")
    assert stage.t == pytest.approx(0.5)
    assert stage.root.count() == 1
    press(page, "go")
    wait_for(page, state("paused"))
    settle(page)
    rest = stage.data("clip")
    stood = progress(page)
    page.wait_for_timeout(1000)
    assert (stage.data("clip"), progress(page)) == (rest, stood), "nothing moves while it is paused"
    press(page, "go")
    wait_for(page, state("running"))
    stage.wait(f"s.clip !== '{rest}'")
    press(page, "reset")
    wait_for(page, "Untrained")


def wait_past(page: Page, least: int) -> None:
    """Until the line of progress has left that step behind."""
    line = page.get_by_test_id("fmviz-progress").element_handle()
    page.wait_for_function(
        "([line, least]) => Number(/step (\\d+)/.exec(line.innerText)?.[1]) > least",
        arg=[line, least],
        timeout=SLOW_MACHINE,
    )


def test_the_charts_follow_a_run_though_the_page_is_not_run(open_page):
    page = open_page(LONG)
    charts = page.get_by_test_id("stVegaLiteChart")
    expect(charts).to_have_count(4)
    error = charts.nth(2).locator("canvas")
    error.wait_for()
    untrained = error.evaluate(COLOURED)
    press(page, "go")
    wait_for(page, r"step [1-9]")
    page.wait_for_function(
        "Object.keys(document.body.value ?? {}).sort().join() === 'error,error_t,loss,loss_t'", timeout=SLOW_MACHINE
    )
    more = f"([canvas, before]) => ({COLOURED})(canvas) > before + 300"
    page.wait_for_function(more, arg=[error.element_handle(), untrained], timeout=SLOW_MACHINE)
    press(page, "go")
    wait_for(page, state("paused"))
    page.wait_for_function("document.body.value === null")
    page.wait_for_function(more, arg=[error.element_handle(), untrained])  # the page's own rows take their place
    press(page, "reset")
    wait_for(page, "Untrained")


def test_a_page_whose_feed_is_cut_off_follows_all_the_same(open_page):
    page = open_page(f"{LONG}&t=0.5")
    page.route("**/feed/**", lambda route: route.fulfill(status=204))
    stage = Stage(page)
    stage.wait("Number(s.frames) > 0")
    press(page, "go")
    wait_for(page, r"step [1-9]")
    clip = stage.data("clip")
    wait_past(page, step(progress(page)) + 10)
    stage.wait(f"s.clip !== '{clip}'")
    press(page, "reset")
    wait_for(page, "Untrained")


# A click on a busy page: the clock of the running training is due before the press is sent, and takes it along; by the
# time the press is sent itself the server has acted on the first.
BUSY_CLICK = """button => {
    const busy = ms => { const until = performance.now() + ms; while (performance.now() < until); };
    busy(2100);
    setTimeout(() => busy(2000), 0);
    button.click();
}"""


def test_a_press_counts_once_though_the_clock_sends_it_too(open_page):
    page = open_page(LONG)
    press(page, "go")
    wait_for(page, r"step [1-9]")
    widget(page, "train_go").get_by_role("button").evaluate(BUSY_CLICK)
    wait_for(page, state("paused"))
    settle(page)
    wait_for(page, state("paused"))
    press(page, "reset")
    wait_for(page, "Untrained")


def test_single_steps_from_the_same_weights(open_page):
    page = open_page(f"{SHORT}&t=0.5")
    stage = Stage(page)
    stage.wait("Number(s.frames) > 0")
    settle(page)
    untrained = stage.data("clip")
    press(page, "step")
    wait_for(page, rf"{state('paused')}.*step 1 of 300")  # while it runs the picture is coarser
    settle(page)
    one = stage.data("clip")
    assert one != untrained
    press(page, "reset")
    wait_for(page, "Untrained")
    stage.wait(f"s.clip === '{untrained}'")
    press(page, "step")
    stage.wait(f"s.clip === '{one}'")
    press(page, "new")
    stage.wait(f"s.clip !== '{one}' && s.clip !== '{untrained}'")
    wait_for_query(page, "sw", "1")


def test_new_weights_while_it_trains_are_not_taken_back(open_page):
    """The feed's end mostly comes before the page that shows the new seed, with the old one in its message."""
    page = open_page(LONG)
    for seed in ("1", "2", "3"):
        press(page, "go")
        wait_for(page, r"step [1-9]")
        press(page, "new")
        wait_for(page, "Untrained")
        settle(page)
        assert "Untrained" in progress(page)
        assert query(page)["sw"] == seed


def test_the_learning_rate_changes_while_it_runs(open_page):
    page = open_page(LONG)
    press(page, "go")
    before = step(wait_for(page, r"step [1-9]"))
    slider = widget(page, "train-learning_rate").get_by_role("slider")
    slider.focus()
    page.keyboard.press("ArrowLeft")
    page.wait_for_url(re.compile(r"[?&]lr=0\.003"), timeout=SLOW_MACHINE)
    wait_for(page, state("running"))
    wait_past(page, before)
    press(page, "reset")
    wait_for(page, "Untrained")


def test_the_charts_are_drawn_and_the_replay_goes_back_to_the_untrained_network(trained):
    page, stage = trained
    charts = page.get_by_test_id("stVegaLiteChart")
    expect(charts).to_have_count(4)
    for chart in charts.all():
        page.wait_for_function(f"c => ({COLOURED})(c) > 300", arg=chart.locator("canvas").element_handle())
    last = stage.data("clip")
    slider = widget(page, "train-replay").get_by_role("slider")
    slider.focus()
    page.keyboard.press("Home")
    stage.wait(f"s.clip !== '{last}'")
    settle(page)
    slider.focus()
    page.keyboard.press("End")
    stage.wait(f"s.clip === '{last}'")
    assert stage.t == pytest.approx(0.5)


def save(page: Page, what: str, folder: Path) -> Path:
    """Presses the button of an export; what the browser then downloads."""
    with page.expect_download() as waiting:
        widget(page, f"train_export_{what}").get_by_role("button").click()
    file = folder / waiting.value.suggested_filename
    waiting.value.save_as(file)
    return file


def test_exports(trained, tmp_path):
    page, _ = trained
    found = checkpoint.from_bytes(save(page, "checkpoint", tmp_path).read_bytes())
    assert (found.step, found.spec.hidden) == (300, (16, 16))
    header, *rows = save(page, "csv", tmp_path).read_text().splitlines()
    assert header == "step,loss"
    assert (len(rows), rows[-1].split(",")[0]) == (300, "300")
    command = [sys.executable, str(save(page, "script", tmp_path)), "50"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True, timeout=100)
    losses = [float(line.split()[1]) for line in done.stdout.splitlines() if line.split()[0].isdigit()]
    assert len(losses) >= 50
    assert losses[:50] == pytest.approx([float(row.split(",")[1]) for row in rows[:50]], rel=1e-3)
    settle(page)


def test_a_learning_rate_of_100_is_explained(open_page):
    page = open_page(f"{SHORT}&lr=100&opt=sgd")
    press(page, "go")
    expect(page.get_by_test_id("stAlert")).to_contain_text("Lower the learning rate", timeout=SLOW_MACHINE)
    Stage(page).wait("Number(s.frames) > 0")
    press(page, "reset")
    expect(page.get_by_test_id("stAlert")).to_have_count(0)


def test_the_run_of_a_closed_browser_ends(open_page):
    page = open_page(LONG)
    with page.expect_request(re.compile("/feed/")) as asked:
        press(page, "go")
    wait_for(page, r"step [1-9]")
    page.goto("about:blank")
    left = time.monotonic()

    def over() -> bool:
        with urllib.request.urlopen(asked.value.url) as answer:  # the session waits for its browser to come back
            return b'"ended"' in answer.read()

    assert not over()
    while not over():
        time.sleep(0.1)
        assert time.monotonic() - left < 10.0


def test_two_people_train_at_once(open_page):
    first, second = open_page(LONG), open_page(f"{LONG}&obj=noise&sw=3")
    for page in (first, second):
        press(page, "go")
    steps = [step(wait_for(page, r"step [1-9]")) for page in (first, second)]
    press(first, "go")
    wait_for(first, state("paused"))
    expect(second.get_by_test_id("fmviz-progress")).to_contain_text(state("running"))
    wait_past(second, steps[1] + 50)
    for page in (first, second):
        press(page, "reset")
        wait_for(page, "Untrained")


def test_the_link_holds_every_setting(open_page):
    page = open_page(SHORT)
    choose(page, "train-objective", english("train.objectives.noise"))
    wait_for_query(page, "obj", "noise")
    widget(page, "train_settings").get_by_role("button").first.click()
    choose(page, "train-activation", english("train.activation.tanh"))
    wait_for_query(page, "act", "tanh")
    assert query(page)["width"] == "16"


def test_another_language_and_no_word_of_english(trained):
    page, _ = trained
    page.get_by_role("radio", name="简体中文").or_(page.get_by_role("button", name="简体中文")).first.click()
    wait_for_query(page, "lang", "zh")
    text = page.get_by_test_id("stMain").inner_text()
    assert not re.search(r"Training|Learned|Settings|Relative|Finished", text)


def test_a_phone_scrolls_one_way_only(open_page):
    page = open_page(SHORT, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    Stage(page).wait("Number(s.frames) > 0")
    main = page.get_by_test_id("stMain")
    assert main.evaluate("e => e.scrollWidth <= e.clientWidth + 1")


def test_stage_and_controls_fit_a_laptop(open_page):
    page = open_page(f"{SHORT}&t=0.5")
    stage = Stage(page)
    stage.wait("Number(s.frames) > 0")
    box = stage.root.bounding_box()
    assert box is not None
    assert box["y"] + box["height"] <= 768
