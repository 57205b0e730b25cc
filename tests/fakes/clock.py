"""An event loop whose time is made up: where nothing is left to do but to wait, the wait is over at once."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Clock(selectors.DefaultSelector):
    """Waits for nothing; what would have been waited is added to the time."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1000.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        found = super().select(0)
        if not found:
            if timeout is None:
                raise AssertionError("Everything waits for something that nobody does.")
            self.now += max(timeout, 0.0)
        return found


class AtOnce(ThreadPoolExecutor):
    """Does what is meant for a thread before it goes on: time must not pass meanwhile."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        done: Future[T] = Future()
        try:
            done.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - whoever asked gets it
            done.set_exception(error)
        return done


class QuickLoop(asyncio.SelectorEventLoop):
    """Runs hours of retries in no time, in the same order each time."""

    def __init__(self) -> None:
        self._clock = Clock()
        super().__init__(self._clock)
        self.set_default_executor(AtOnce())

    def time(self) -> float:
        return self._clock.now

    async def shutdown_default_executor(self, *_: Any) -> None:
        """There is no thread to wait for."""
