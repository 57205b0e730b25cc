"""Handles signals that end a command: one line instead of a traceback, and the exit code that shells expect."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Coroutine, Iterator
from types import FrameType
from typing import Any


class Interrupted(KeyboardInterrupt):
    """A stop signal was received."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.exit_code = 128 + number


def raise_on_signals() -> None:
    """Raises Interrupted on SIGINT, SIGTERM and SIGHUP; an ignored signal (nohup) stays ignored.

    `become` blocks SIGINT while this program starts; a Ctrl-C from that time interrupts now.
    """

    def interrupt(number: int, _frame: FrameType | None) -> None:
        raise Interrupted(number)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, interrupt)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


@contextlib.contextmanager
def defer_signals() -> Iterator[None]:
    """Defers signals to the end of the block, so that the caller knows what the block started."""
    received: list[int] = []
    before = {
        number: signal.signal(number, lambda number, _frame: received.append(number))
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        if signal.getsignal(number) is not signal.SIG_IGN
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if received:
        raise Interrupted(received[0])


def run_until_signal(work: Coroutine[Any, Any, None]) -> None:
    """Like asyncio.run, but a stop signal cancels the work so that it ends in order; raises Interrupted then.

    An exception raised inside the event loop would leave open connections to the garbage collector.
    """
    import asyncio

    received: list[int] = []

    async def cancellable() -> None:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()

        def stop(number: int) -> None:
            received.append(number)
            if task is not None:
                task.cancel()

        for number in handlers:
            loop.add_signal_handler(number, stop, number)
        await work

    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    # asyncio removes its handlers without restoring the earlier ones, and nohup's ignored SIGHUP stays ignored.
    handlers = {number: handler for number, handler in handlers.items() if handler is not signal.SIG_IGN}
    try:
        asyncio.run(cancellable())
    except asyncio.CancelledError:
        if not received:
            raise
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    if received:
        raise Interrupted(received[0])


def ignore_signals() -> None:
    """Ignores further signals, so that the last line and the exit code come out."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
