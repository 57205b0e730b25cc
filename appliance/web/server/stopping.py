"""Signals the application that the server stops, so that endless answers end."""

from __future__ import annotations

import asyncio
import signal
import threading
from types import FrameType


def set_on_stop_signal(stopping: asyncio.Event) -> None:
    """Sets `stopping` on SIGTERM and SIGINT, and then calls the previous handler.

    The server waits for open answers before it stops the application, so the application needs its own notice.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        _chain(number, loop, stopping)


def _chain(number: signal.Signals, loop: asyncio.AbstractEventLoop, stopping: asyncio.Event) -> None:
    previous = signal.getsignal(number)
    if not callable(previous):
        return

    def stop(received: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(stopping.set)
        previous(received, frame)

    signal.signal(number, stop)
