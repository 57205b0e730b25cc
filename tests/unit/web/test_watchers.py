"""Those who watch: one subscription for all of a project, a bound that is said, and nobody who holds up the others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

import pytest

from appliance.errors import Overloaded, StoreUnavailable
from appliance.web.watchers import MOST_UNREAD, Watchers


class MemoryLive:
    """Messages of a project as they are put; counts subscriptions."""

    def __init__(self) -> None:
        self.subscriptions: list[str] = []
        self.queue: asyncio.Queue[bytes | Exception | None] = asyncio.Queue()

    async def messages(self, project_id: str, *, silence_s: float) -> AsyncGenerator[bytes | None, None]:
        self.subscriptions.append(project_id)
        yield None
        while True:
            found = await self.queue.get()
            if isinstance(found, Exception):
                raise found
            yield found


@pytest.fixture
def live() -> MemoryLive:
    return MemoryLive()


@pytest.fixture
async def watchers(live: Any) -> AsyncIterator[Watchers]:
    found = Watchers(live, 1000)
    yield found
    await found.close()


async def test_a_thousand_share_one_subscription_and_the_next_is_told_so(watchers: Watchers, live: MemoryLive) -> None:
    watches = [watchers.join("p") for _ in range(1000)]
    with pytest.raises(Overloaded, match="1000 clients watch already"):
        watchers.join("q")
    messages = [watch.messages() for watch in watches]
    assert await asyncio.gather(*(anext(each) for each in messages)) == [None] * 1000
    live.queue.put_nowait(b'["t"]')
    assert await asyncio.gather(*(anext(each) for each in messages)) == [b'["t"]'] * 1000
    assert live.subscriptions == ["p"]
    watchers.leave(watches[0])
    late = watchers.join("p")
    assert await anext(late.messages()) is None


async def test_one_who_does_not_read_is_let_go_and_costs_no_more(watchers: Watchers, live: MemoryLive) -> None:
    slow, quick = watchers.join("p"), watchers.join("p")
    messages = quick.messages()
    await anext(messages)
    for number in range(2 * MOST_UNREAD):
        live.queue.put_nowait(str(number).encode())
        assert await anext(messages) == str(number).encode()
    with pytest.raises(StoreUnavailable):
        async with asyncio.timeout(5):
            assert len([message async for message in slow.messages()]) == MOST_UNREAD


async def test_all_end_when_redis_goes_away_and_may_come_again(watchers: Watchers, live: MemoryLive) -> None:
    watch = watchers.join("p")
    live.queue.put_nowait(StoreUnavailable("Gone.", store="Redis"))
    with pytest.raises(StoreUnavailable):
        assert [message async for message in watch.messages()] == [None]
    watchers.leave(watch)
    assert await anext(watchers.join("p").messages()) is None
    assert live.subscriptions == ["p", "p"]


async def test_nobody_listens_for_nobody(watchers: Watchers, live: MemoryLive) -> None:
    watch = watchers.join("p")
    assert await anext(watch.messages()) is None
    watchers.leave(watch)
    live.queue.put_nowait(None)  # a silence
    async with asyncio.timeout(5):
        while watchers._listeners:
            await asyncio.sleep(0)
