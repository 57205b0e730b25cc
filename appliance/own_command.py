"""The command lines of our own programs; nothing that lies in the user's directory becomes a part of them."""

from __future__ import annotations

import os
import signal
import sys
from typing import NoReturn


def own_command(module: str, *arguments: str, python: str | None = None) -> tuple[str, ...]:
    """The words that run one of our modules as a program, by this interpreter or by `python`.

    `-P` keeps the current directory out of the import path, and `-E` what PYTHONPATH and its like name: both would come
    before the standard library and before us (Python's "Command line and environment").
    """
    return (python or sys.executable, "-E", "-P", "-m", module, *arguments)


def become(module: str, *arguments: str) -> NoReturn:
    """Replaces this process by one of our programs.

    A Ctrl-C while that begins waits until it takes SIGINT: Python's own handler would print a traceback.
    """
    command = own_command(module, *arguments)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        os.execv(command[0], command)
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
