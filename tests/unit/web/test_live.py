"""The stream of live messages ends when it should."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncGenerator

from appliance.errors import StoreUnavailable
from appliance.storage.redis.live import Message, Position
from appliance.web.api.live import _events
from appliance.web.server.stopping import set_on_stop_signal


class Source:
    """Messages, then silence, or a store that goes away."""

    def __init__(self, *, breaks: bool = False) -> None:
        self.closed = False
        self._breaks = breaks

    async def messages(self) -> AsyncGenerator[Message | None, None]:
        try:
            yield None
            yield Message(Position(7, 1), b'["t"]')
            if self._breaks:
                raise StoreUnavailable("Redis is away.")
            await asyncio.Event().wait()
        finally:
            self.closed = True


async def test_it_ends_when_the_server_stops() -> None:
    source, stopping = Source(), asyncio.Event()
    events = _events(source.messages(), stopping)
    assert [await anext(events), await anext(events)] == [b": alive\n\n", b'id: 7-1\ndata: ["t"]\n\n']
    asyncio.get_running_loop().call_soon(stopping.set)
    assert [event async for event in events] == []
    assert source.closed


async def test_it_ends_when_the_store_goes_away() -> None:
    source = Source(breaks=True)
    assert len([event async for event in _events(source.messages(), asyncio.Event())]) == 2
    assert source.closed


async def test_it_lets_go_when_the_client_leaves() -> None:
    source = Source()
    events = _events(source.messages(), asyncio.Event())
    await anext(events)
    await events.aclose()
    assert source.closed


async def test_a_signal_is_heard_and_passed_on() -> None:
    passed: list[int] = []
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    signal.signal(signal.SIGTERM, lambda number, frame: passed.append(number))
    stopping = asyncio.Event()
    try:
        set_on_stop_signal(stopping)
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.wait_for(stopping.wait(), 5)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    assert passed == [signal.SIGTERM]
