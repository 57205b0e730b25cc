"""The terminal UI in a real terminal: from the first run to the tree of the first trace."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator

import pytest

from tests.acceptance.appliance_process import Appliance, eventually, new_appliance
from tests.acceptance.exporter import make_request, send
from tests.acceptance.terminal import Terminal, open_terminal

SIZES = [(80, 24), (200, 60)]

if not shutil.which("tmux") and not os.environ.get("CI"):
    pytest.skip("tmux is not installed", allow_module_level=True)


@pytest.fixture(params=SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def fresh(request: pytest.FixtureRequest) -> Iterator[tuple[Appliance, Terminal]]:
    """The UI on an appliance that has never seen a trace."""
    columns, rows = request.param
    with new_appliance() as appliance:
        appliance.up()
        command = appliance.command("tui")
        with open_terminal(command, appliance.environ, columns=columns, rows=rows, folder=appliance.home) as terminal:
            yield appliance, terminal


def test_from_the_first_run_to_the_tree_of_the_first_trace(fresh: tuple[Appliance, Terminal]) -> None:
    appliance, terminal = fresh
    terminal.see(appliance.keys[0], within_s=20)
    assert "Traceback" not in terminal.screen()
    with appliance.http() as http:
        send(http, make_request("first-trace", 0, traces=1))
    terminal.see("first-trace")
    terminal.press("2")
    terminal.see("Latency", "900 ms", "first-trace")
    terminal.press("Enter")
    tree = terminal.see("step-0", "step-4")
    assert "first-trace" in tree
    terminal.press("?")
    terminal.press("Escape")
    terminal.press("Escape")
    terminal.see("first-trace")
    terminal.press("C-q")
    eventually(terminal.is_over)
    assert "Traceback" not in terminal.screen()
    assert appliance.status()["healthy"] is True


def test_it_survives_resizing_and_a_restart_of_the_server(fresh: tuple[Appliance, Terminal]) -> None:
    appliance, terminal = fresh
    terminal.see(appliance.keys[0], within_s=20)
    terminal.resize(100, 30)
    terminal.resize(80, 24)
    appliance.down()
    appliance.up()
    with appliance.http() as http:
        send(http, make_request("after-restart", 0, traces=1))
    terminal.see("after-restart", within_s=30)
    assert not terminal.is_over()


def test_the_bare_command_starts_the_stack_and_leaves_it_running() -> None:
    with new_appliance() as appliance:
        environ = appliance.environ | {"LANGFUSE_LOCAL_DATA_DIR": str(appliance.data_dir)}
        command = [sys.executable, "-m", "appliance"]
        with open_terminal(command, environ, columns=120, rows=40, folder=appliance.home) as terminal:
            terminal.see("pk-lf-", within_s=60)
            terminal.press("C-q")
            eventually(terminal.is_over)
            assert "`langfuse-local down` stops it" in terminal.history()
        assert appliance.status()["healthy"] is True
