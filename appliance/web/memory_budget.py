"""How much memory requests may take together: what does not fit is refused before it is read on.

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
"""A client that sends nothing of its body for longer than this is given up."""
_RETRY_AFTER_S = 1
_SCOPE_KEY = "appliance.held"
_BYTES_PER_VALUE: Final = 100


class Room:
    """The memory of all requests of one process, in bytes."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self._used = 0
        self._lock = threading.Lock()

    @property
    def used(self) -> int:
        """What is taken now."""
        return self._used

    def take(self, size: int) -> None:
        """Raises Overloaded when `size` does not fit beside what is taken."""
        with self._lock:
            if self._used + size > self.capacity:
                raise Overloaded("Too much is being received at once.", retry_after_s=_RETRY_AFTER_S)
            self._used += size

    def give_back(self, size: int) -> None:
        """The reverse of `take`."""
        with self._lock:
            self._used -= size


class Held:
    """What one request has taken; given back at the end of the `with` block. Threads may share it."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._held = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.give_back(self._held)

    def take(self, size: int) -> None:
        """Raises Overloaded when there is no room now, PayloadTooLarge when there never is for so large a request."""
        if self._held + size > self._room.capacity:
            raise PayloadTooLarge("The request takes more memory than this server gives to one; send smaller ones.")
        self._room.take(size)
        self._held += size

    def take_for_json(self, content: bytes) -> None:
        """Makes room for what decoding a JSON text comes to, at most."""
        self.take(_BYTES_PER_VALUE * (content.count(b"{") + content.count(b"[") + content.count(b",")))

    def give_back(self, size: int) -> None:
        """What is not held any more."""
        self._room.give_back(size)
        self._held -= size


def held_by(scope: Scope) -> Held:
    """What the request of an ASGI scope holds; only below `Bounded`."""
    held: Held = scope[_SCOPE_KEY]
    return held


class Bounded:
    """ASGI middleware: gives every request its `Held`, and gives up clients that stop in the middle of a body."""

    def __init__(self, app: ASGIApp, capacity: int) -> None:
        self._app = app
        self._room = Room(capacity)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        is_whole = False

        async def receive_in_time() -> Message:
            nonlocal is_whole
            if is_whole:  # what comes now is only the end of the connection
                return await receive()
            try:
                async with asyncio.timeout(IDLE_S):
                    message = await receive()
            except TimeoutError:
                raise RequestTimedOut("The request body did not arrive in time.") from None
            is_whole = not message.get("more_body", False)
            return message

        with Held(self._room) as held:
            await self._app({**scope, _SCOPE_KEY: held}, receive_in_time, send)
