"""How much memory requests may take together: a request that does not fit is refused before it is read on.

The charge of a request is an upper estimate of what it holds at one moment: the bytes received, the bytes after
decompression, and the objects that decoding makes of them.
"""

from __future__ import annotations

import asyncio
import threading
from types import TracebackType
from typing import Final, Self

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from appliance.errors import Overloaded, PayloadTooLarge, RequestTimedOut

IDLE_S: Final = 20.0
"""A client that sends nothing of its body for longer than this is dropped."""
_RETRY_AFTER_S = 1
_SCOPE_KEY = "appliance.memory_charge"
_BYTES_PER_VALUE: Final = 100
"""Upper estimate of the memory of one decoded value besides its own text."""


class MemoryBudget:
    """The memory that all requests of one process may take together, in bytes."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self._used = 0
        self._lock = threading.Lock()

    @property
    def used(self) -> int:
        """Bytes taken now."""
        return self._used

    def take(self, size: int) -> None:
        """Raises Overloaded when `size` does not fit beside the bytes in use."""
        with self._lock:
            if self._used + size > self.capacity:
                raise Overloaded("Too much is being received at once.", retry_after_s=_RETRY_AFTER_S)
            self._used += size

    def give_back(self, size: int) -> None:
        """The reverse of `take`."""
        with self._lock:
            self._used -= size


class MemoryCharge:
    """The memory that one request has taken, given back at the end of the `with` block. Threads may share it."""

    def __init__(self, budget: MemoryBudget) -> None:
        self._budget = budget
        self._taken = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.give_back(self._taken)

    def take(self, size: int) -> None:
        """Raises Overloaded when too little is free now, PayloadTooLarge when no request may take so much."""
        if self._taken + size > self._budget.capacity:
            raise PayloadTooLarge("The request takes more memory than this server gives to one; send smaller ones.")
        self._budget.take(size)
        self._taken += size

    def take_for_json(self, content: bytes) -> None:
        """Take what decoding a JSON text needs at most; raises as `take` does."""
        self.take(_BYTES_PER_VALUE * (content.count(b"{") + content.count(b"[") + content.count(b",")))

    def give_back(self, size: int) -> None:
        """The reverse of `take`."""
        self._budget.give_back(size)
        self._taken -= size


def charge_of(scope: Scope) -> MemoryCharge:
    """The charge of the request of an ASGI scope; only below `LimitMemory`."""
    charge: MemoryCharge = scope[_SCOPE_KEY]
    return charge


class LimitMemory:
    """ASGI middleware: gives every request its `MemoryCharge`, and drops clients that stop in the middle of a body."""

    def __init__(self, app: ASGIApp, capacity: int) -> None:
        self._app = app
        self._budget = MemoryBudget(capacity)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        is_whole = False

        async def receive_in_time() -> Message:
            nonlocal is_whole
            if is_whole:  # this waits for the client to disconnect, which has no time limit
                return await receive()
            try:
                async with asyncio.timeout(IDLE_S):
                    message = await receive()
            except TimeoutError:
                raise RequestTimedOut("The request body did not arrive in time.") from None
            is_whole = not message.get("more_body", False)
            return message

        with MemoryCharge(self._budget) as charge:
            await self._app({**scope, _SCOPE_KEY: charge}, receive_in_time, send)
