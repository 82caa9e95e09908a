"""A class at work: many sessions on one server change the scene, the page and its settings, and some train a network.

Usage: make load ARGS="--classes 25:5 50:10 --seconds 60 --think 8"

A class of 50:10 is fifty sessions of which ten press Start on the page Train; of the last `--compared` sessions each pins its first
picture, and so has A and B side by side. Each thinks for a uniform 0 to 2 x think seconds
between two actions. With `--every-control` they do not work but try everything: all buttons, whatever opens, all settings. The sessions drive the real app through Streamlit's agent API, so nothing is drawn: the figures are those
of the server. A new server for each class; exit status 1 if an action was refused or a page was in error.
"""

from __future__ import annotations

import argparse
import collections
import os
import random
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import requests

from fmviz.lessons import LESSONS
from tools.serve import serve

__all__ = ["Class", "choices", "main", "quantile"]

CHOICES = ("selectbox", "segmented_control", "select_slider", "radio", "pills")
FOLLOWED = (
    "scene.",
    "flows.",
    "noise.",
    "noise_",
    "conservation.",
    "sample.",
    "train.objective",
    "guidance.",
    "bridges.",
    "dictionary.",
)
"""Beginnings of the keys of the controls that are used."""
START, PIN = "train_go", "compare_pin"
ANOTHER_PAGE = 0.15
TIMEOUT = 120


def elements(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """All elements of a page."""
    yield node
    for child in node.get("children", []):
        yield from elements(child)


def choices(snapshot: dict[str, Any], followed: str | tuple[str, ...] = FOLLOWED) -> dict[str, list[Any]]:
    """What may be chosen on a page, by the key of the control: options, one by one, or a few values of a slider.

    Args:
        snapshot: what the server answered.
        followed: how the keys of the controls begin.
    """
    found: dict[str, list[Any]] = {}
    usable = {action["key"] for action in snapshot.get("actions", [])}
    for element in elements(snapshot["tree"]):
        key, props = element.get("key", ""), element.get("props", {})
        if key not in usable or not key.startswith(followed) or props.get("disabled"):
            continue
        if element["type"] in CHOICES and props.get("options"):
            several = isinstance(element.get("value"), list)
            found[key] = [[option] for option in props["options"]] if several else list(props["options"])
        elif element.get("value_schema", {}).get("type") == "boolean":
            found[key] = [False, True]
        elif element["type"] in ("slider", "number_input") and not isinstance(element.get("value"), list):
            low, step = props["min_value"], props.get("step") or 1
            count = int((props["max_value"] - low) / step)
            found[key] = [min(props["max_value"], low + step * (i * count // 4)) for i in range(5)]
    return found


def buttons(snapshot: dict[str, Any]) -> list[str]:
    """The keys of all buttons that can be pressed."""
    return [action["key"] for action in snapshot.get("actions", []) if action["kind"] == "trigger"]


class Class:
    """Sessions of one server, and what became of their actions.

    Args:
        url: of the server.
        think: seconds between two actions, on average.
        seed: of what the sessions choose.
        everything: whether they press all buttons and use all controls, rather than those of a class.

    Attributes:
        seconds: how long each answered action took.
        refused: how often an action was refused, by its reason.
    """

    def __init__(self, url: str, think: float, seed: int, *, everything: bool = False) -> None:
        self.url, self.think, self.seed, self.everything = url, think, seed, everything
        self.seconds: list[float] = []
        self.refused: collections.Counter[str] = collections.Counter()
        self._lock = threading.Lock()

    def act(self, body: dict[str, Any]) -> dict[str, Any] | None:
        """One action; its answer, None if it was refused."""
        began = time.monotonic()
        answer = requests.post(f"{self.url}/_stcore/agent/interact", json=body, timeout=TIMEOUT)
        took, found = time.monotonic() - began, answer.json()
        with self._lock:
            if answer.status_code != requests.codes.ok:
                what = ", ".join(f"{key} = {value}" for key, value in body.get("widget_state", body).items())
                self.refused[f"{found.get('error', {}).get('code', answer.status_code)}: {what}"] += 1
                return None
            self.seconds.append(took)
            if found["status"] != "ready":
                self.refused["page in error"] += 1
        return dict(found)

    def work(self, number: int, presses: str | None, until: float) -> None:
        """One session, until that time; it presses the button with this key once, as soon as there is one."""
        chance = random.Random(1000 * self.seed + number)
        snapshot: dict[str, Any] | None = None
        while True:
            time.sleep(chance.uniform(0.0, 2.0 * self.think))
            if time.monotonic() >= until:
                return
            if snapshot is None:
                snapshot = self.act({"page": "train" if presses == START else _page(chance)})
                continue
            body: dict[str, Any] = {"session_id": snapshot["session_id"]}
            found = choices(snapshot, "" if self.everything else FOLLOWED)
            if self.everything:
                found |= {key: [] for key in buttons(snapshot)}
            if presses is not None and presses in {action["key"] for action in snapshot.get("actions", [])}:
                body["trigger"], presses = {"key": presses}, None
            elif chance.random() < ANOTHER_PAGE or not found:
                body["page"] = _page(chance)
            else:
                key = chance.choice(sorted(found))
                if found[key]:
                    body["widget_state"] = {key: chance.choice(found[key])}
                else:
                    body["trigger"] = {"key": key}
            snapshot = self.act(body) or snapshot


def _page(chance: random.Random) -> str:
    return chance.choice(["", *(lesson.address for lesson in LESSONS[1:])])


def quantile(values: list[float], q: float) -> float:
    """The value that a fraction `q` of `values` does not exceed."""
    return sorted(values)[min(len(values) - 1, int(q * len(values)))]


def family(pid: int) -> list[int]:
    """A process and all that descend from it (Linux)."""
    found = [pid]
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            found += family(int(child))
    return found


def memory(pids: list[int]) -> float:
    """MiB of these processes; what they share counts once (proportional set size, Linux)."""
    total = 0
    for pid in pids:
        total += int(Path(f"/proc/{pid}/smaps_rollup").read_text().split("\nPss:")[1].split()[0])
    return total / 1024


def _row(sessions: int, training: int, options: argparse.Namespace) -> bool:
    """Measures one class and prints its row; whether nothing was refused."""
    with (
        tempfile.TemporaryDirectory() as folder,
        serve("app.py", Path(folder) / "log", Path.cwd(), "--server.enableAgentApi=true") as url,
    ):
        server = [pid for pid in family(os.getpid()) if pid != os.getpid()]
        at_work = Class(url, options.think, options.seed, everything=options.every_control)
        at_work.act({})
        before, until = memory(server), time.monotonic() + options.seconds
        presses = [
            START if n < training else PIN if n >= sessions - options.compared else None for n in range(sessions)
        ]
        threads = [threading.Thread(target=at_work.work, args=(n, presses[n], until)) for n in range(sessions)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        after = memory([pid for pid in family(os.getpid()) if pid != os.getpid()])
    p50, p95, most = (quantile(at_work.seconds, q) for q in (0.5, 0.95, 1.0))
    print(
        f"| {sessions} | {training} | {len(at_work.seconds)} | {p50:.2f} s | {p95:.2f} s | {most:.1f} s "
        f"| {dict(at_work.refused) or 0} | {before:.0f} → {after:.0f} MiB |",
        flush=True,
    )
    return not at_work.refused


def _class(text: str) -> tuple[int, int]:
    sessions, _, training = text.partition(":")
    return int(sessions), int(training or 0)


def main() -> int:
    """Measures the classes asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--classes", nargs="+", type=_class, default=[(10, 2), (25, 5), (50, 0), (50, 10)])
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--think", type=float, default=8.0)
    parser.add_argument("--compared", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--every-control", action="store_true")
    options = parser.parse_args()
    print(
        "| sessions | training | actions | p50 | p95 | longest | refused | memory |\n|---|---|---|---|---|---|---|---|"
    )
    held = [_row(*one, options) for one in options.classes]
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
