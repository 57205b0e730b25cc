"""Clients that watch live messages: a process listens to each project once, however many watch it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Final

from appliance.cancelling import cancel
from appliance.errors import Overloaded, PositionForgotten, StoreUnavailable
from appliance.storage.redis.live import Live, Message, Position

log = logging.getLogger(__name__)

SILENCE_S: Final = 10.0
MOST_UNREAD: Final = 100
"""Messages that wait for a slow client; with more it is disconnected, and connects again."""
_RETRY_AFTER_S: Final = 5


class Watch:
    """One client that watches: messages as they come, None when there was none for a while."""

    def __init__(self, live: Live, project_id: str, after: Position | None) -> None:
        self.project_id = project_id
        self._live = live
        self._after = after
        self._unread: asyncio.Queue[tuple[Message | None] | None] = asyncio.Queue()
        self._has_ended = False

    def send(self, message: Message | None) -> None:
        """Hand over a message; a client that does not read is disconnected."""
        if self._has_ended:
            return
        if self._unread.qsize() < MOST_UNREAD:
            self._unread.put_nowait((message,))
        else:
            self.end()

    def end(self) -> None:
        """Disconnect after the unread messages."""
        self._has_ended = True
        self._unread.put_nowait(None)

    async def messages(self) -> AsyncGenerator[Message | None, None]:
        """First the messages after the requested position, then one without ids, then new ones.

        Raises StoreUnavailable when there will be no more.
        """
        reached: Position | None = None
        while (item := await self._unread.get()) is not None:
            (message,) = item
            if message is None:
                yield None
            elif reached is None:
                reached = message.position
                async for missed in self._missed(reached):
                    reached = max(reached, missed.position)
                    yield missed
                yield Message(reached)
            elif message.position > reached:  # else it was among the missed ones
                reached = message.position
                yield message
        raise StoreUnavailable("The live messages have ended.", store="Redis")

    async def _missed(self, listening_from: Position) -> AsyncGenerator[Message, None]:
        if self._after is None:
            return
        try:
            async with contextlib.aclosing(self._live.since(self.project_id, self._after)) as messages:
                async for message in messages:
                    yield message
        except PositionForgotten:
            yield Message(listening_from, is_gap=True)


@dataclass(slots=True, eq=False)
class _Listener:
    watches: set[Watch] = field(default_factory=set)
    position: Position | None = None
    """Clients that join now get all messages after this; None until it is known."""
    task: asyncio.Task[None] | None = None


class Watchers:
    """All clients that watch at this process, up to a number that does not depend on its other work."""

    def __init__(self, live: Live, most: int) -> None:
        self._live = live
        self._most = most
        self._count = 0
        self._listeners: dict[str, _Listener] = {}

    def join(self, project_id: str, after: Position | None = None) -> Watch:
        """Begin to watch a project, after a position if there is one; `leave` must follow. Raises Overloaded."""
        if self._count >= self._most:
            raise Overloaded(f"{self._most} clients watch already.", retry_after_s=_RETRY_AFTER_S)
        self._count += 1
        watch = Watch(self._live, project_id, after)
        listener = self._listeners.get(project_id)
        if listener is None:
            listener = self._listeners[project_id] = _Listener()
            listener.task = asyncio.create_task(self._listen(project_id, listener))
        listener.watches.add(watch)
        if listener.position is not None:
            watch.send(Message(listener.position))
        return watch

    def leave(self, watch: Watch) -> None:
        """End a watch; a listener without watches ends by itself."""
        self._count -= 1
        if listener := self._listeners.get(watch.project_id):
            listener.watches.discard(watch)

    async def close(self) -> None:
        """End all listeners."""
        await cancel(*(listener.task for listener in self._listeners.values() if listener.task))

    async def _listen(self, project_id: str, listener: _Listener) -> None:
        try:
            async with contextlib.aclosing(self._live.messages(project_id, silence_s=SILENCE_S)) as messages:
                async for message in messages:
                    listener.position = message.position if message else listener.position
                    if not listener.watches:
                        return
                    for watch in listener.watches:
                        watch.send(message)
        except StoreUnavailable as error:
            log.warning("Live messages of %s end: %s", project_id, error)
        finally:
            if self._listeners.get(project_id) is listener:
                del self._listeners[project_id]
            for watch in listener.watches:
                watch.end()
