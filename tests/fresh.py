"""Programs that run by themselves, each in a process that has imported torch and nothing of this project.

Importing torch takes seconds. A server does it once and is forked for every program.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SECONDS = 100

SERVER = """
import json, os, signal, sys, tempfile, traceback, warnings
import torch

def carry_out(asked, out, err):
    for number, file in ((0, open(os.devnull)), (1, out), (2, err)):
        os.dup2(file.fileno(), number)
    signal.alarm(asked["seconds"])
    warnings.simplefilter("error", RuntimeWarning)
    os.chdir(asked["folder"])
    sys.argv = ["program", *asked["arguments"]]
    status = 1
    try:
        exec(compile(asked["code"], "program", "exec"), {"__name__": "__main__"})
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)

for line in sys.stdin:
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = os.fork()
        if child == 0:
            carry_out(json.loads(line), out, err)
        _, status = os.waitpid(child, 0)
        said = []
        for file in (out, err):
            file.seek(0)
            said.append(file.read().decode())
        print(json.dumps([os.waitstatus_to_exitcode(status), *said]), flush=True)
"""


@dataclass(frozen=True)
class Ended:
    """How a program ended, as `subprocess.run` tells it."""

    returncode: int
    stdout: str
    stderr: str


class FreshProcesses:
    """Runs programs one after the other, each in a process of its own; torch computes with one thread there."""

    def __init__(self) -> None:
        self._server = subprocess.Popen(
            [sys.executable, "-c", SERVER], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def run(self, code: str, *arguments: str, folder: Path = ROOT) -> Ended:
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        asked = {"code": code, "arguments": arguments, "folder": str(folder), "seconds": SECONDS}
        self._server.stdin.write(json.dumps(asked) + "\n")
        self._server.stdin.flush()
        return Ended(*json.loads(self._server.stdout.readline()))

    def printed(self, code: str, *arguments: str, folder: Path = ROOT) -> str:
        """What a program prints that has to succeed."""
        ended = self.run(code, *arguments, folder=folder)
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    def close(self) -> None:
        self._server.communicate()
