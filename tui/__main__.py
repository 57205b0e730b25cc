"""`python -m tui`: opens the terminal UI on the appliance of this machine, or attaches to any server."""

from __future__ import annotations

import gc
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the terminal UI until it is left; returns the exit code."""
    # Modules and trees of many thousand rows are not garbage: looking through them costs a tenth of the start.
    gc.set_threshold(100_000, 20, 20)
    with _interrupts_end_us():
        from tui.opening import open_ui

        return open_ui(argv)


@contextmanager
def _interrupts_end_us() -> Iterator[None]:
    """Ctrl-C, also one that came while this program began, ends it without a word: Python would print a traceback.

    The application takes it before it takes the terminal.
    """
    before = signal.getsignal(signal.SIGINT)
    if before is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


if __name__ == "__main__":
    sys.exit(main())
