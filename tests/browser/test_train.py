"""Training in a browser: start, pause, replay, exports, a learning rate that is far too high, a browser that is closed."""

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
LONG = "/train?width=16&depth=2&batch=512&train=200000"
"""Minutes of training."""
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


def wait_past(page: Page, least: int) -> None:
    """Until the line of progress has left that step behind."""
    line = page.get_by_test_id("fmviz-progress").element_handle()
    page.wait_for_function(
        "([line, least]) => Number(/step (\\d+)/.exec(line.innerText)?.[1]) > least",
        arg=[line, least],
        timeout=SLOW_MACHINE,
    )


def training(page: Page) -> int:
    """Starts a run, and returns a step that it has done."""
    press(page, "go")
    return step(wait_for(page, r"step [1-9]"))


def reset(page: Page) -> None:
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


@pytest.mark.timeout(240)
def test_a_run_moves_stage_and_charts_is_paused_changed_and_ends_with_its_page(
    open_page: OpenPage, subtests: pytest.Subtests
) -> None:
    page = open_page(f"{LONG}&t=0.5")
    stage = Stage(page)
    stage.wait("Number(s.frames) > 0")

    with subtests.test("the charts follow though the page is not run"):
        charts = page.get_by_test_id("stVegaLiteChart")
        expect(charts).to_have_count(4)
        error = charts.nth(2).locator("canvas")
        error.wait_for()
        untrained = error.evaluate(COLOURED)
        training(page)
        page.wait_for_function(
            "Object.keys(document.body.value ?? {}).sort().join() === 'error,error_t,loss,loss_t'", timeout=SLOW_MACHINE
        )
        more = f"([canvas, before]) => ({COLOURED})(canvas) > before + 300"
        page.wait_for_function(more, arg=[error.element_handle(), untrained], timeout=SLOW_MACHINE)
        press(page, "go")
        wait_for(page, state("paused"))
        page.wait_for_function("document.body.value === null")
        page.wait_for_function(more, arg=[error.element_handle(), untrained])  # the page's own rows take their place
    reset(page)

    with subtests.test("the stage moves and keeps the clock"):
        first = stage.data("clip")
        training(page)
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
    reset(page)

    with subtests.test("a press counts once though the clock sends it too"):
        training(page)
        widget(page, "train_go").get_by_role("button").evaluate(BUSY_CLICK)
        wait_for(page, state("paused"))
        settle(page)
        wait_for(page, state("paused"))
    reset(page)

    with subtests.test("without its feed it follows all the same"):
        page.route("**/feed/**", lambda route: route.fulfill(status=204))
        training(page)
        clip = stage.data("clip")
        wait_past(page, step(progress(page)) + 10)
        stage.wait(f"s.clip !== '{clip}'")
    reset(page)
    page.unroute_all()

    with subtests.test("the learning rate changes while it runs"):
        before = training(page)
        slider = widget(page, "train-learning_rate").get_by_role("slider")
        slider.focus()
        page.keyboard.press("ArrowLeft")
        page.wait_for_url(re.compile(r"[?&]lr=0\.003"), timeout=SLOW_MACHINE)
        wait_for(page, state("running"))
        wait_past(page, before)
    reset(page)

    # The feed's end mostly comes before the page that shows the new seed, with the old one in its message.
    with subtests.test("new weights while it trains are not taken back"):
        for seed in ("1", "2", "3"):
            training(page)
            press(page, "new")
            wait_for(page, "Untrained")
            settle(page)
            assert "Untrained" in progress(page)
            assert query(page)["sw"] == seed

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


def test_single_steps_from_the_same_weights_and_every_setting_in_the_link(
    open_page: OpenPage, subtests: pytest.Subtests
) -> None:
    page = open_page(f"{SHORT}&t=0.5")
    stage = Stage(page)
    stage.wait("Number(s.frames) > 0")
    settle(page)
    with subtests.test("single steps"):
        untrained = stage.data("clip")
        press(page, "step")
        wait_for(page, rf"{state('paused')}.*step 1 of 300")  # while it runs the picture is coarser
        settle(page)
        one = stage.data("clip")
        assert one != untrained
        reset(page)
        stage.wait(f"s.clip === '{untrained}'")
        press(page, "step")
        stage.wait(f"s.clip === '{one}'")
        press(page, "new")
        stage.wait(f"s.clip !== '{one}' && s.clip !== '{untrained}'")
        wait_for_query(page, "sw", "1")

    with subtests.test("the settings"):
        choose(page, "train-objective", english("train.objectives.noise"))
        wait_for_query(page, "obj", "noise")
        widget(page, "train_settings").get_by_role("button").first.click()
        choose(page, "train-activation", english("train.activation.tanh"))
        wait_for_query(page, "act", "tanh")
        assert query(page)["width"] == "16"


def save(page: Page, what: str, folder: Path) -> Path:
    """Presses the button of an export; what the browser then downloads."""
    with page.expect_download() as waiting:
        widget(page, f"train_export_{what}").get_by_role("button").click()
    file = folder / waiting.value.suggested_filename
    waiting.value.save_as(file)
    return file


def test_a_finished_run_is_drawn_replayed_exported_and_told_in_chinese(
    open_page: OpenPage, subtests: pytest.Subtests, tmp_path: Path
) -> None:
    page = open_page(f"{SHORT}&t=0.5")
    stage = Stage(page)
    stage.wait("Number(s.frames) > 0")
    press(page, "go")
    wait_for(page, state("finished"))
    settle(page)

    with subtests.test("the charts are drawn"):
        charts = page.get_by_test_id("stVegaLiteChart")
        expect(charts).to_have_count(4)
        for chart in charts.all():
            page.wait_for_function(f"c => ({COLOURED})(c) > 300", arg=chart.locator("canvas").element_handle())

    with subtests.test("the replay goes back to the untrained network"):
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

    with subtests.test("exports"):
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

    with subtests.test("no word of English"):
        page.get_by_role("radio", name="简体中文").or_(page.get_by_role("button", name="简体中文")).first.click()
        wait_for_query(page, "lang", "zh")
        text = page.get_by_test_id("stMain").inner_text()
        assert not re.search(r"Training|Learned|Settings|Relative|Finished", text)


def test_a_learning_rate_of_100_is_explained(open_page: OpenPage) -> None:
    page = open_page(f"{SHORT}&lr=100&opt=sgd")
    press(page, "go")
    expect(page.get_by_test_id("stAlert")).to_contain_text("Lower the learning rate", timeout=SLOW_MACHINE)
    Stage(page).wait("Number(s.frames) > 0")
    press(page, "reset")
    expect(page.get_by_test_id("stAlert")).to_have_count(0)
