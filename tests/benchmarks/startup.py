"""Measure the start on an empty and on a used data directory, the stop, and the first screen of the UI.

The command runs in a pseudo-terminal of 120 by 40. The first paint is when the first line of the screen has been
written, the first data when the keys (of a project without traces) or the name of the only trace are. The yardstick is
a Python that only imports Textual, in turns with the commands; the figures are medians.
"""

from __future__ import annotations

import compileall
import fcntl
import os
import select
import statistics
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

from tests.acceptance.appliance_process import ROOT, Appliance, eventually, new_appliance
from tests.benchmarks.report import say

BARE_APP = "import textual.app, textual.widgets"
CHROME = b"langfuse-local"
"""Stands in the first line of every screen."""
NAME = "seen-first"
RUNS = 11
WITHIN_S = 20.0


def main() -> None:
    with new_appliance() as appliance:
        cold = _timed(appliance.up)
        down = _timed(appliance.down)
        warm = _timed(appliance.up)
        say("up to healthy, empty data directory", f"{cold:.1f} s", "8 s")
        say("up to healthy, warm", f"{warm:.1f} s", "4 s")
        say("down", f"{down:.1f} s", "3 s")
        for folder in ("appliance", "tui"):
            compileall.compile_dir(ROOT / folder, quiet=1)
        _paint(appliance, "no traces", appliance.keys[0].encode())
        _send_trace(appliance)
        _paint(appliance, "one trace", NAME.encode())


def _paint(appliance: Appliance, what: str, data: bytes) -> None:
    """Medians of runs that take turns with the yardstick."""
    environ = appliance.environ | {"LANGFUSE_LOCAL_DATA_DIR": str(appliance.data_dir)}
    environ |= {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8"}
    environ.pop("PYTHONDONTWRITEBYTECODE", None)
    commands = {"langfuse-local": [sys.executable, "-m", "appliance"], "langfuse-local tui": appliance.command("tui")}
    least: list[float] = []
    found: dict[str, list[list[float]]] = {name: [] for name in commands}
    for _ in range(RUNS):
        least.append(_timed(partial(subprocess.run, [sys.executable, "-c", BARE_APP], env=environ, check=True)))
        for name, command in commands.items():
            found[name].append(_seen(command, environ, appliance.home, (CHROME, data)))
    yardstick = statistics.median(least)
    say(f"{what}: a bare Textual application, imported", f"{yardstick:.3f} s")
    for name, runs in found.items():
        paint, first = (statistics.median(run[index] for run in runs) for index in (0, 1))
        say(f"{what}: `{name}`, first paint", f"{paint:.3f} s, {paint / yardstick:.2f} times", "1.3 times")
        say(f"{what}: `{name}`, first data", f"{first:.3f} s, {first / yardstick:.2f} times", "1.8 times")


def _seen(command: Sequence[str], environ: Mapping[str, str], folder: Path, marks: Sequence[bytes]) -> list[float]:
    """Seconds until a terminal has got each mark; raises AssertionError with what it got instead."""
    master, terminal = os.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    start = time.perf_counter()
    with subprocess.Popen(
        command, env=environ, cwd=folder, stdin=terminal, stdout=terminal, stderr=terminal, start_new_session=True
    ) as process:
        os.close(terminal)
        seen: dict[bytes, float] = {}
        written = b""
        while len(seen) < len(marks):
            ready, _, _ = select.select([master], [], [], WITHIN_S)
            assert ready, f"{marks} not within {WITHIN_S} s; last written: {written[-2000:]!r}"
            written += os.read(master, 1 << 16)
            now = time.perf_counter() - start
            seen |= {mark: now for mark in marks if mark in written and mark not in seen}
        process.terminate()
        with suppress(OSError):  # the terminal is gone once nobody holds its other side
            while os.read(master, 1 << 16):
                pass
    os.close(master)
    assert b"Traceback" not in written, written.decode(errors="replace")
    return [seen[mark] for mark in marks]


def _send_trace(appliance: Appliance) -> None:
    moment = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())
    event = {"id": "e", "type": "trace-create", "timestamp": moment, "body": {"id": "t", "name": NAME}}
    with appliance.http() as http:
        assert http.post("/api/public/ingestion", json={"batch": [event]}).status_code == 207
        eventually(lambda: http.get("/api/public/traces").json()["data"])


def _timed(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
