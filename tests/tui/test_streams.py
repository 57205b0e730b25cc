"""Where the terminal UI draws, and that it says when it cannot."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize("closed", [False, True])
def test_it_draws_on_the_terminal_when_standard_error_leads_elsewhere(tmp_path: Path, closed: bool) -> None:
    ours, terminal = pty.openpty()
    reading, writing = os.pipe()
    os.write(writing, b"sk")
    os.close(writing)
    elsewhere = tmp_path / "errors"
    command = [sys.executable, "-m", "tui", "--url", "http://127.0.0.1:9", "--public-key", "pk"]
    with elsewhere.open("w") as errors:
        running = subprocess.Popen(
            [*command, "--secret-key-fd", str(reading)],
            stdin=terminal,
            stdout=terminal,
            stderr=errors,
            pass_fds=[reading],
            preexec_fn=(lambda: os.close(2)) if closed else None,
            env=os.environ | {"TERM": "xterm-256color"},
        )
    os.close(reading)
    os.close(terminal)
    wanted = b"needs standard error" if closed else b"\x1b[?1049h"  # the alternate screen
    shown = b""
    try:
        while wanted not in shown:
            shown += os.read(ours, 4096)
    finally:
        running.kill()
        running.wait()
        os.close(ours)
    assert elsewhere.read_text() == ""
