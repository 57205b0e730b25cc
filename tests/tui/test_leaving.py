"""However the terminal UI ends, the terminal is as it was."""

from __future__ import annotations

import asyncio
import os
import pty
import select
import signal
import subprocess
import time
from pathlib import Path

import pytest

from appliance.own_command import own_command
from tests.tui.conftest import MakeApp
from tui.api.sample import SampleGateway
from tui.model.records import Server
from tui.state import StateFile

TAKEN = b"\x1b[?1049h"
GIVEN_BACK = [b"\x1b[?1049l", b"\x1b[?1000l", b"\x1b[?1003l", b"\x1b[?25h"]
"""The first screen, no reports of the mouse, and a cursor."""


def read_until(terminal: int, wanted: bytes, within_s: float = 30.0) -> bytes:
    """What a program wrote until it wrote something, or until it ended."""
    written, end = b"", time.monotonic() + within_s
    while wanted not in written:
        assert time.monotonic() < end, f"{wanted!r} did not come: {written!r}"
        if select.select([terminal], [], [], 0.1)[0]:
            try:
                piece = os.read(terminal, 65536)
            except OSError:  # its end
                break
            written += piece
    return written


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT], ids=lambda number: number.name)
def test_a_signal_leaves_the_terminal_as_it_was(tmp_path: Path, number: signal.Signals) -> None:
    mine, its = pty.openpty()
    environ = os.environ | {"TERM": "xterm-256color", "XDG_STATE_HOME": str(tmp_path)}
    command = own_command("tui", "--data-dir", str(tmp_path))
    process = subprocess.Popen(command, stdin=its, stdout=its, stderr=its, env=environ, start_new_session=True)
    before = subprocess.run(["stty", "-a"], stdin=its, capture_output=True, check=True).stdout
    try:
        read_until(mine, TAKEN)
        read_until(mine, b"Nothing runs")
        process.send_signal(number)
        written = _rest(mine, process)
        assert all(mode in written for mode in GIVEN_BACK), written
        assert process.returncode == 128 + number
        assert subprocess.run(["stty", "-a"], stdin=its, capture_output=True, check=True).stdout == before
    finally:
        process.kill()
        process.wait()
        os.close(mine)
        os.close(its)


def _rest(terminal: int, process: subprocess.Popen[bytes]) -> bytes:
    """What a program writes until it ends."""
    written, end = b"", time.monotonic() + 30
    while process.poll() is None or select.select([terminal], [], [], 0)[0]:
        assert time.monotonic() < end, "the program did not end"
        if select.select([terminal], [], [], 0.1)[0]:
            written += os.read(terminal, 65536)
    return written


async def test_what_fails_after_the_end_has_begun_is_no_failure(
    make_app: MakeApp, capfd: pytest.CaptureFixture[str]
) -> None:
    class Ending(SampleGateway):
        async def connect(self) -> Server:
            app.exit(return_code=130)
            raise LookupError("no widgets yet")

    app = make_app(Ending())
    async with asyncio.timeout(10):
        await app.run_async(headless=True)
    assert app.return_code == 130
    assert "report" not in capfd.readouterr().err


async def test_a_failure_is_told_where_nothing_can_be_written(
    make_app: MakeApp, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    app = make_app()
    (tmp_path / "file").write_text("")
    app.state_file = StateFile("test", tmp_path / "file")

    def fail() -> None:
        raise ValueError("no [/such] thing")

    with pytest.raises(ValueError, match="such"):
        async with app.run_test() as pilot:
            app.call_later(fail)
            await pilot.pause()
    told = capfd.readouterr().err
    assert "Please report this" in told
    assert "no [/such] thing" in told
