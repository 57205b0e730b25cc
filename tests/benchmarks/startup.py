"""How long it takes to start on an empty and on a used data directory, to stop, and to paint the UI first."""

from __future__ import annotations

import time

from tests.acceptance.appliance_process import new_appliance
from tests.acceptance.terminal import open_terminal
from tests.benchmarks.report import say


def main() -> None:
    with new_appliance() as appliance:
        cold = _timed(appliance.up)
        down = _timed(appliance.down)
        warm = _timed(appliance.up)
        command = appliance.command("tui")
        start = time.perf_counter()
        with open_terminal(command, appliance.environ, columns=120, rows=40, folder=appliance.home) as terminal:
            while not terminal.screen().strip():
                time.sleep(0.01)
            paint = time.perf_counter() - start
    say("up to healthy, empty data directory", f"{cold:.1f} s", "8 s")
    say("up to healthy, warm", f"{warm:.1f} s", "4 s")
    say("down", f"{down:.1f} s", "3 s")
    say("first paint of the UI (with the start of tmux)", f"{paint:.2f} s", "0.5 s")


def _timed(action: object) -> float:
    assert callable(action)
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
