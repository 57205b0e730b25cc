"""Programs outside the terminal UI: an editor or pager for a text, and a browser for a link."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from textual.app import App, SuspendNotSupported

if TYPE_CHECKING:
    from types import FrameType


def edit_text(app: App[None], text: str, suffix: str = ".txt") -> None:
    """Shows a text in $EDITOR or $PAGER while the terminal UI is suspended."""
    choices = (os.environ.get(name, "").strip() for name in ("EDITOR", "PAGER"))
    command = next(filter(None, choices), "less")
    try:
        words = shlex.split(command)
    except ValueError as error:
        app.notify(f"{command} cannot be run: {str(error).rstrip('.').lower()}.", severity="warning")
        return
    try:
        with tempfile.NamedTemporaryFile(
            "w", suffix=suffix, prefix="langfuse-", encoding="utf-8", errors="backslashreplace"
        ) as file:
            file.write(text)
            file.flush()
            problem = _run(app, command, [*words, file.name])
    except OSError as error:
        problem = f"The text cannot be written for {command}: {error.strerror}."
    if problem:
        app.notify(problem, severity="warning")


def open_link(app: App[None], link: str) -> str:
    """Opens a link in the browser; returns a sentence when there is none or it fails, else nothing."""
    import webbrowser

    try:
        browser = webbrowser.get()
        if type(browser) is webbrowser.GenericBrowser:  # one that runs in this terminal
            with app.suspend():
                opened = browser.open(link)
        else:
            opened = browser.open(link)
    except (webbrowser.Error, OSError, ValueError, SuspendNotSupported):
        opened = False
    return "" if opened else "No browser can be opened from here."


def _run(app: App[None], command: str, words: Sequence[str]) -> str:
    """Runs a program in the terminal of the UI; returns what was wrong with it."""
    problem = ""
    try:
        with app.suspend(), _interrupts_are_its_own():
            # Caught in here: Textual takes the terminal back only when the block ends without an exception.
            try:
                subprocess.run(words, check=False)
            except (OSError, ValueError) as error:
                reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
                problem = f"{command} cannot be run: {reason}."
    except SuspendNotSupported:
        return "An editor cannot be opened in this terminal."
    return problem


@contextmanager
def _interrupts_are_its_own() -> Iterator[None]:
    """Ctrl-C in the other program reaches this process too, and means only the other."""

    def ignore(_number: int, _frame: FrameType | None) -> None:
        return

    before = signal.signal(signal.SIGINT, ignore)  # not SIG_IGN, which the other program would inherit
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
