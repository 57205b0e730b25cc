"""A program in a real terminal: tmux, driven by keys and read by its screen."""

from __future__ import annotations

import shlex
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.acceptance.appliance_process import eventually


@dataclass(frozen=True, slots=True)
class Terminal:
    """One tmux server with one window."""

    socket: Path

    def screen(self) -> str:
        """What the screen shows."""
        return self._tmux("capture-pane", "-p")

    def history(self) -> str:
        """The screen and the lines that have left it at the top."""
        return self._tmux("capture-pane", "-p", "-S", "-")

    def press(self, *keys: str) -> None:
        """Presses keys by their tmux names (Enter, Escape, C-p) or types text."""
        self._tmux("send-keys", *keys)

    def see(self, *texts: str, within_s: float = 15.0) -> str:
        """Waits until the screen shows all the texts; returns it, or raises AssertionError with the last one."""
        return eventually(self.screen, until=lambda shown: all(text in shown for text in texts), within_s=within_s)

    def resize(self, columns: int, rows: int) -> None:
        self._tmux("resize-window", "-x", str(columns), "-y", str(rows))

    def is_over(self) -> bool:
        """Whether the program has ended."""
        return self._tmux("display-message", "-p", "#{pane_dead}").strip() == "1"

    def _tmux(self, *arguments: str) -> str:
        command = ["tmux", "-S", str(self.socket), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout


@contextmanager
def open_terminal(
    command: Sequence[str], environ: dict[str, str], *, columns: int, rows: int, folder: Path
) -> Iterator[Terminal]:
    """Runs a command in a terminal of the given size, and ends both."""
    with tempfile.TemporaryDirectory(prefix="lfl-tmux-") as place:
        socket, options = Path(place) / "tmux", Path(place) / "options"
        options.write_text("set -g remain-on-exit on\nset -sg escape-time 0\n")
        base = ["tmux", "-S", str(socket), "-f", str(options)]
        environ = environ | {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8"}
        size = ["-x", str(columns), "-y", str(rows)]
        session = ["new-session", "-d", *size, "-c", str(folder), shlex.join(command)]
        subprocess.run([*base, *session], env=environ, check=True, timeout=10)
        try:
            yield Terminal(socket)
        finally:
            subprocess.run([*base, "kill-server"], capture_output=True, timeout=10)
