"""Command lines of our own programs, which import nothing from the current directory."""

from __future__ import annotations

import _signal  # what signal wraps, without the enumerations that it makes
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:  # mypy knows it by its name; importing typing takes as long as starting Python
    from typing import NoReturn


def own_command(module: str, *arguments: str, python: str | None = None) -> tuple[str, ...]:
    """The command that runs one of our modules, with this interpreter or `python`.

    `-P` keeps the current directory out of the import path, `-E` ignores PYTHONPATH and the like: both would come
    before the standard library and before us (Python's "Command line and environment").
    """
    return (python or sys.executable, "-E", "-P", "-m", module, *arguments)


def become(module: str, *arguments: str) -> NoReturn:
    """Replaces this process by one of our programs.

    Blocks Ctrl-C until that program handles SIGINT: Python's own handler would print a traceback.
    """
    command = own_command(module, *arguments)
    _signal.pthread_sigmask(_signal.SIG_BLOCK, {_signal.SIGINT})
    try:
        os.execv(command[0], command)
    finally:
        _signal.pthread_sigmask(_signal.SIG_UNBLOCK, {_signal.SIGINT})
