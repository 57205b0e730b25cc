"""Those who watch: one subscription for all of a project, a bound that is said, and nobody who holds up the others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

import pytest

from appliance.errors import Overloaded, PositionForgotten, StoreUnavailable
from appliance.storage.redis.live import Message, Position
from appliance.web.watchers import MOST_UNREAD, Watchers


def message(number: int) -> Message:
    return Message(Position(number, 0), b'["t%d"]' % number)


HERE = Message(Position(1, 0))
"""What those who join are told first."""


class MemoryLive:
    """Messages of a project as they are put; counts subscriptions, and those that have ended."""

    def __init__(self) -> None:
        self.subscriptions: list[str] = []
        self.ended: list[str] = []
        self.queue: asyncio.Queue[Message | Exception | None] = asyncio.Queue()
        self.kept: list[Message] = []
        self.meanwhile: list[Message] = []
        """What comes while somebody reads what is kept."""

    async def since(self, project_id: str, after: Position) -> AsyncGenerator[Message, None]:
        if after not in [each.position for each in self.kept]:
            raise PositionForgotten("Too old.")
        for each in [each for each in self.kept if each.position > after]:
            yield each
        for each in self.meanwhile:
            self.queue.put_nowait(each)

    async def messages(self, project_id: str, *, silence_s: float) -> AsyncGenerator[Message | None, None]:
        self.subscriptions.append(project_id)
        try:
            yield HERE
            while True:
                found = await self.queue.get()
                if isinstance(found, Exception):
                    raise found
                yield found
        finally:
            self.ended.append(project_id)


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
    assert await asyncio.gather(*(anext(each) for each in messages)) == [HERE] * 1000
    live.queue.put_nowait(message(2))
    assert await asyncio.gather(*(anext(each) for each in messages)) == [message(2)] * 1000
    assert live.subscriptions == ["p"]
    watchers.leave(watches[0])
    late = watchers.join("p")
    assert await anext(late.messages()) == Message(Position(2, 0))


async def test_one_who_does_not_read_is_let_go_and_costs_no_more(watchers: Watchers, live: MemoryLive) -> None:
    slow, quick = watchers.join("p"), watchers.join("p")
    messages = quick.messages()
    await anext(messages)
    for number in range(2 * MOST_UNREAD):
        live.queue.put_nowait(message(2 + number))
        assert await anext(messages) == message(2 + number)
    with pytest.raises(StoreUnavailable):
        async with asyncio.timeout(5):
            assert len([each async for each in slow.messages()]) == MOST_UNREAD


async def test_all_end_when_redis_goes_away_and_may_come_again(watchers: Watchers, live: MemoryLive) -> None:
    watch = watchers.join("p")
    live.queue.put_nowait(StoreUnavailable("Gone.", store="Redis"))
    with pytest.raises(StoreUnavailable):
        assert [each async for each in watch.messages()] == [HERE]
    watchers.leave(watch)
    assert await anext(watchers.join("p").messages()) == HERE
    assert live.subscriptions == ["p", "p"]


async def test_nobody_listens_for_nobody(watchers: Watchers, live: MemoryLive) -> None:
    watch = watchers.join("p")
    assert await anext(watch.messages()) == HERE
    watchers.leave(watch)
    live.queue.put_nowait(None)  # a silence
    async with asyncio.timeout(5):
        while live.ended != ["p"]:
            await asyncio.sleep(0)


async def test_one_who_comes_back_is_told_each_message_once(watchers: Watchers, live: MemoryLive) -> None:
    live.kept, live.meanwhile = [message(number) for number in (1, 2, 3, 4)], [message(4), message(5)]
    messages = watchers.join("p", Position(2, 0)).messages()
    found = [await anext(messages) for _ in range(4)]
    assert found == [message(3), message(4), Message(Position(4, 0)), message(5)]


async def test_one_who_comes_back_too_late_is_told_so(watchers: Watchers, live: MemoryLive) -> None:
    messages = watchers.join("p", Position(0, 7)).messages()
    assert [await anext(messages) for _ in range(2)] == [Message(HERE.position, is_gap=True), HERE]
