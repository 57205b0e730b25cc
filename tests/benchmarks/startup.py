"""How long it takes to start on an empty and on a used data directory, to stop, and to paint the UI first."""

from __future__ import annotations

import subprocess
import sys
import time

from tests.acceptance.appliance_process import new_appliance
from tests.acceptance.terminal import open_terminal
from tests.benchmarks.report import say
from tests.benchmarks.yardstick import seconds_of, times

BARE_APP = "import textual.app, textual.widgets"


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
            terminal.see(appliance.keys[0], within_s=20)  # what came first was ours, not a message of the shell
            data = time.perf_counter() - start
            assert "Traceback" not in terminal.screen(), terminal.screen()
    least = seconds_of(lambda: subprocess.run([sys.executable, "-c", BARE_APP], check=True))
    say("up to healthy, empty data directory", f"{cold:.1f} s", "8 s")
    say("up to healthy, warm", f"{warm:.1f} s", "4 s")
    say("down", f"{down:.1f} s", "3 s")
    say("first paint of the UI (with the start of tmux)", f"{paint:.2f} s", "0.5 s")
    say("first paint to a bare Textual application", f"{least:.2f} s, {times(paint, least)}", "1.3 times")
    say("first data to it", f"{data:.2f} s, {times(data, least)}", "1.8 times")


def _timed(action: object) -> float:
    assert callable(action)
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
