"""The queue, the patches, live messages and heartbeats on a real Redis."""

from __future__ import annotations

import dataclasses
import json

import pytest

from appliance.config import IngestionSettings
from appliance.errors import Overloaded, PositionForgotten
from appliance.model.patches import Patch
from appliance.model.queue import Entry
from appliance.storage.redis.dead_letters import DeadLetters
from appliance.storage.redis.heartbeats import Heartbeats
from appliance.storage.redis.ingest_stream import GROUP, STREAM, IngestStream
from appliance.storage.redis.keys import key
from appliance.storage.redis.live import IDS_PER_MESSAGE, MESSAGES_KEPT, Live, Message, Position
from appliance.storage.redis.patches import Patches
from appliance.web.context import Context

ENTRY = Entry(kind="events", project_id="p", body=b"\x00[]", accepted_at=7, sdk_name="python", sdk_version="4")


async def test_an_entry_lives_until_it_is_acknowledged(context: Context) -> None:
    stream = context.stream
    for number in range(3):
        await stream.append(dataclasses.replace(ENTRY, accepted_at=number))
    (first, second) = await stream.read("a", 2, 10)
    assert [first.entry.accepted_at, second.entry.accepted_at] == [0, 1]
    assert (first.entry.body, first.attempts) == (ENTRY.body, 1)
    assert (await stream.backlog()).backlog == 3
    await stream.ack([first])
    (again,) = await stream.read_pending("a", 10)
    assert (again.id, again.attempts) == (second.id, 2)
    (claimed,) = await stream.claim_stale("b", 0)
    assert (claimed.id, claimed.attempts) == (second.id, 3)
    assert await stream.read_pending("a", 10) == []
    await stream.ack([second])
    (third,) = await stream.read("a", 10, 10)
    await stream.ack([third])
    assert await stream.read("a", 10, 10) == []
    assert (await stream.backlog()).backlog == 0


async def test_what_a_dead_worker_left_is_found_behind_all_that_is_in_live_hands(context: Context) -> None:
    stream = context.stream
    for _ in range(40):
        await stream.append(ENTRY)
    deliveries = await stream.read("a", 40, 10)
    left = deliveries[-1].id
    await context.redis.xclaim(STREAM, GROUP, "a", 0, [left], idle=60_000, justid=True)
    (claimed,) = await stream.claim_stale("b", 30_000)
    assert claimed.id == left
    assert await stream.claim_stale("b", 30_000) == []
    await stream.ack(deliveries)


async def test_dead_letters_are_kept_and_can_be_replayed(context: Context) -> None:
    stream = context.stream
    await stream.append(ENTRY)
    (delivery,) = await stream.read("a", 1, 10)
    await stream.dead_letter(delivery, "cannot be decoded")
    status = await stream.backlog()
    assert (status.backlog, status.dead_letters) == (0, 1)
    letters = DeadLetters(context.redis)
    (letter,) = [letter async for letter in letters.all()]
    assert (letter.error, letter.body_bytes, letter.entry.body) == ("cannot be decoded", len(ENTRY.body), b"")
    found = await letters.get(letter.id)
    assert found is not None and found.entry == ENTRY
    assert await letters.replay(letter.id)
    assert not await letters.replay(letter.id)
    (replayed,) = await stream.read("a", 1, 10)
    assert replayed.entry == ENTRY


async def test_a_full_backlog_takes_nothing_more(context: Context) -> None:
    stream = IngestStream(context.redis, IngestionSettings(max_backlog_entries=1))
    await stream.append(ENTRY)
    fresh = IngestStream(context.redis, IngestionSettings(max_backlog_entries=1))
    with pytest.raises(Overloaded):
        await fresh.append(ENTRY)
    small = IngestStream(context.redis, IngestionSettings(max_backlog_bytes=10))
    with pytest.raises(Overloaded):
        await small.append(ENTRY)
    assert (await stream.backlog()).backlog == 1


async def test_later_patches_see_earlier_ones(context: Context) -> None:
    patches = Patches(context.redis)
    create = Patch("p", "observation", "o", b"1", b"create")
    other = Patch("p", "observation", "x", b"1", b"other")
    first, beside = await patches.add([create, other])
    assert (first.patches, first.is_first, beside.is_first) == ({b"1": b"create"}, True, True)
    (again,) = await patches.add([create])
    assert (again.patches, again.is_first) == ({b"1": b"create"}, True)
    (second,) = await patches.add([Patch("p", "observation", "o", b"2", b"update")])
    assert (second.patches, second.is_first) == ({b"1": b"create", b"2": b"update"}, False)
    assert first.version_us < again.version_us < second.version_us


async def test_live_messages_reach_those_who_watch(context: Context) -> None:
    live = Live(context.redis)
    messages = live.messages("p", silence_s=5)
    start = await anext(messages)
    assert start is not None and start.trace_ids == b"[]"
    await live.publish("another", ["x"])
    await live.publish("p", ["t1", "t2"])
    found = await anext(messages)
    assert found is not None and found.trace_ids == b'["t1","t2"]'
    await messages.aclose()


async def test_live_messages_are_kept_for_those_who_come_back_until_there_are_too_many(context: Context) -> None:
    live = Live(context.redis)
    messages = live.messages("q", silence_s=5)
    start = await anext(messages)
    assert start is not None
    await messages.aclose()
    await live.publish("q", [f"t{number}" for number in range(25 * IDS_PER_MESSAGE)])
    missed = [message async for message in live.since("q", start.position)]
    told = [trace_id for message in missed for trace_id in json.loads(message.trace_ids)]
    assert told == [f"t{number}" for number in range(25 * IDS_PER_MESSAGE)]
    assert [message async for message in live.since("q", missed[-1].position)] == []
    assert (await anext(live.messages("q", silence_s=5))) == Message(missed[-1].position)
    for _ in range(2):
        await live.publish("q", ["t"] * (IDS_PER_MESSAGE * MESSAGES_KEPT))
    for unknown in (start.position, Position(2**60, 0), Position(0, 0)):
        with pytest.raises(PositionForgotten):
            await anext(live.since("q", unknown))
    assert await context.redis.xlen(key("arrivals", "q")) < 2 * MESSAGES_KEPT


async def test_live_messages_are_kept_by_a_full_redis(context: Context) -> None:
    live = Live(context.redis)
    await context.redis.config_set("maxmemory", 1)
    try:
        await live.publish("r", ["t1"])
        assert (await anext(live.messages("r", silence_s=5))) is not None
    finally:
        await context.redis.config_set("maxmemory", 0)


async def test_workers_show_signs_of_life(context: Context) -> None:
    heartbeats = Heartbeats(context.redis)
    assert await heartbeats.alive() == []
    await heartbeats.beat("worker-1", {"entries": 3})
    assert await heartbeats.alive() == ["worker-1"]
    await heartbeats.stop("worker-1")
    assert await heartbeats.alive() == []
