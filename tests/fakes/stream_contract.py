"""What every queue of entries does; run on the real one and on the fake."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Protocol

from appliance.model.queue import Delivery, Entry
from appliance.storage.redis.ingest_stream import MAX_BODY_READ
from tests.fakes.stream import Letter


class StreamUnderTest(Protocol):
    """A queue with nothing in it, a way to let time pass, and looks at what became of entries."""

    stream: Any

    async def pass_time(self, seconds: float) -> None: ...
    async def letters(self) -> list[Letter]: ...
    async def waiting(self) -> int: ...
    async def written(self) -> tuple[int, int, int]:
        """Requests and items that were written, and items that were refused."""


def entry(body: bytes = b"[]", items: int = 1) -> Entry:
    return Entry(kind="events", project_id="p", body=body, accepted_at=5, items=items)


def seen(deliveries: Sequence[Delivery]) -> list[tuple[str, int]]:
    return [(each.id, each.attempts) for each in deliveries]


class StreamContract:
    """Subclasses provide the fixture `queue`."""

    async def test_entries_are_read_once_in_order(self, queue: StreamUnderTest) -> None:
        ids = [await queue.stream.append(entry(b"%d" % number)) for number in range(3)]
        assert seen(await queue.stream.read("a", 2, 0)) == [(ids[0], 1), (ids[1], 1)]
        (last,) = await queue.stream.read("b", 2, 0)
        assert (last.id, last.entry) == (ids[2], entry(b"2"))
        assert await queue.stream.read("a", 2, 0) == []

    async def test_who_waits_gets_what_arrives(self, queue: StreamUnderTest) -> None:
        reading = asyncio.create_task(queue.stream.read("a", 5, 30_000))
        while not reading.done():
            await asyncio.sleep(0)
            if not await queue.waiting():
                id = await queue.stream.append(entry())
        assert seen(await reading) == [(id, 1)]

    async def test_who_waits_in_vain_gets_nothing(self, queue: StreamUnderTest) -> None:
        assert await queue.stream.read("a", 5, 1) == []

    async def test_a_reading_is_bounded_by_bytes(self, queue: StreamUnderTest) -> None:
        ids = [await queue.stream.append(entry(b"x" * 1000)) for _ in range(3)]
        assert seen(await queue.stream.read("a", 3, 0, 1500)) == [(ids[0], 1), (ids[1], 1)]
        assert seen(await queue.stream.read_pending("a", 3, "0", 500)) == [(ids[0], 2)]

    async def test_a_large_body_stays_until_it_is_fetched(self, queue: StreamUnderTest) -> None:
        whole = entry(b"x" * (MAX_BODY_READ + 1))
        await queue.stream.append(whole)
        (delivery,) = await queue.stream.read("a", 1, 0)
        assert delivery.is_without_body
        fetched = await queue.stream.fetch(delivery, "a")
        assert fetched == Delivery(delivery.id, whole, 1)

    async def test_only_the_holder_fetches(self, queue: StreamUnderTest) -> None:
        await queue.stream.append(entry())
        (delivery,) = await queue.stream.read("a", 1, 0)
        assert await queue.stream.fetch(delivery, "b") is None
        await queue.stream.ack([delivery])
        assert await queue.stream.fetch(delivery, "a") is None

    async def test_what_was_not_acknowledged_is_read_again(self, queue: StreamUnderTest) -> None:
        ids = [await queue.stream.append(entry()) for _ in range(4)]
        taken = await queue.stream.read("a", 3, 0)
        await queue.stream.ack(taken[:1])
        assert seen(await queue.stream.read_pending("a", 5)) == [(ids[1], 2), (ids[2], 2)]
        assert seen(await queue.stream.read_pending("a", 5, ids[1])) == [(ids[2], 3)]
        assert await queue.stream.read_pending("b", 5) == []
        assert seen(await queue.stream.read("a", 5, 0)) == [(ids[3], 1)]

    async def test_only_what_nobody_works_on_is_taken_over(self, queue: StreamUnderTest) -> None:
        ids = [await queue.stream.append(entry()) for _ in range(2)]
        await queue.stream.read("lost", 2, 0)
        assert await queue.stream.claim_stale("b", 30_000) == []
        await queue.pass_time(31)
        await queue.stream.keep("lost", {ids[0]: 1})
        assert seen(await queue.stream.claim_stale("b", 30_000)) == [(ids[1], 2)]
        assert await queue.stream.claim_stale("b", 30_000) == []
        assert seen(await queue.stream.read_pending("lost", 5)) == [(ids[0], 2)]

    async def test_entries_are_taken_over_one_by_one(self, queue: StreamUnderTest) -> None:
        ids = [await queue.stream.append(entry()) for _ in range(2)]
        await queue.stream.read("lost", 2, 0)
        await queue.pass_time(31)
        for id in ids:
            assert seen(await queue.stream.claim_stale("b", 30_000)) == [(id, 2)]

    async def test_the_body_of_a_large_one_is_not_taken_over_with_it(self, queue: StreamUnderTest) -> None:
        await queue.stream.append(entry(b"x" * (MAX_BODY_READ + 1)))
        await queue.stream.read("lost", 1, 0)
        await queue.pass_time(31)
        (delivery,) = await queue.stream.claim_stale("b", 30_000)
        assert delivery.is_without_body

    async def test_keeping_says_how_often_it_was_tried(self, queue: StreamUnderTest) -> None:
        id = await queue.stream.append(entry())
        await queue.stream.read("a", 1, 0)
        await queue.stream.keep("a", {id: 0, "77-0": 1})
        assert seen(await queue.stream.read_pending("a", 5)) == [(id, 1)]

    async def test_who_keeps_an_entry_holds_it(self, queue: StreamUnderTest) -> None:
        id = await queue.stream.append(entry())
        await queue.stream.read("a", 1, 0)
        await queue.stream.keep("b", {id: 4})
        assert await queue.stream.read_pending("a", 5) == []
        assert seen(await queue.stream.read_pending("b", 5)) == [(id, 5)]

    async def test_what_is_acknowledged_is_counted_once(self, queue: StreamUnderTest) -> None:
        for _ in range(2):
            await queue.stream.append(entry(items=3))
        taken = await queue.stream.read("a", 2, 0)
        for _ in range(2):
            await queue.stream.ack(taken, {taken[0].id: 1})
        await queue.stream.dead_letter(taken[0], "too late")
        assert (await queue.waiting(), await queue.written(), await queue.letters()) == (0, (2, 5, 1), [])

    async def test_nothing_to_acknowledge(self, queue: StreamUnderTest) -> None:
        await queue.stream.append(entry())
        await queue.stream.ack([])
        assert await queue.waiting() == 1

    async def test_a_dead_letter_is_whole_and_out_of_the_queue(self, queue: StreamUnderTest) -> None:
        whole = entry(b"x" * (MAX_BODY_READ + 1), items=2)
        await queue.stream.append(whole)
        (delivery,) = await queue.stream.read("a", 1, 0)
        await queue.stream.dead_letter(delivery, "broken")
        await queue.stream.dead_letter(delivery, "again")
        await queue.stream.ack([delivery])
        assert await queue.letters() == [Letter(whole, "broken", 1)]
        assert (await queue.waiting(), await queue.written()) == (0, (0, 0, 0))
        assert await queue.stream.read_pending("a", 5) == []

    async def test_a_part_is_set_aside_once_and_the_rest_goes_on(self, queue: StreamUnderTest) -> None:
        await queue.stream.append(entry(items=3))
        (delivery,) = await queue.stream.read("a", 1, 0)
        for error in ("broken", "again"):
            await queue.stream.dead_letter_part(delivery, 7, entry(b"[7]"), error)
        await queue.stream.dead_letter_part(delivery, 8, entry(b"[8]"), "too")
        assert await queue.letters() == [Letter(entry(b"[7]"), "broken", 1), Letter(entry(b"[8]"), "too", 1)]
        assert await queue.waiting() == 1
