"""The worker process: reads the queue, decodes, writes rows, publishes live events and acknowledges.

While one batch is being written the next one is decoded, so batches grow with the load and nothing waits for a timer.
After a crash the worker first takes up the entries that it had not acknowledged.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import signal
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Final

from appliance.cancelling import cancel
from appliance.config import Settings
from appliance.errors import LookupUnavailable, Undecodable
from appliance.ingestion.process import Batch, process
from appliance.model.patterns import patterns_set_aside
from appliance.model.queue import Delivery
from appliance.storage.blobs.choice import blob_store
from appliance.storage.clickhouse.client import ClickHouse
from appliance.storage.clickhouse.stored import Stored
from appliance.storage.clickhouse.writer import Writer
from appliance.storage.postgres.media import MediaRecords
from appliance.storage.postgres.pool import Postgres
from appliance.storage.redis.client import connect
from appliance.storage.redis.deletions import PendingDeletions
from appliance.storage.redis.heartbeats import BEAT_EVERY_S, Heartbeats
from appliance.storage.redis.ingest_stream import IngestStream
from appliance.storage.redis.live import Live
from appliance.storage.redis.patches import Patches
from appliance.worker.contract import BatchSink, Lookups, PatchStore, Stream, WorkerHeartbeats, Written
from appliance.worker.jobs.registry import QUEUED, periodic_jobs
from appliance.worker.large import LARGE_BYTES, LargeEntries
from appliance.worker.lookups import PostgresLookups
from appliance.worker.media import MediaKeeper
from appliance.worker.outcomes import Outcomes
from appliance.worker.retry import AWAY, DOUBTFUL, Backoff, Stopped
from appliance.worker.schedule import Stores, running_jobs
from appliance.worker.sink import Sink
from appliance.worker.waiting_for_postgres import WaitingForPostgres

log = logging.getLogger(__name__)

MAX_ENTRIES: Final = 128
MAX_BATCH_BYTES: Final = 12 * 1024 * 1024
"""Bytes of bodies (after decompression) in one batch, which becomes one insert per table."""
MANY_ROWS: Final = 1000
"""After an insert of this many rows the next one is delayed: a part costs ClickHouse the same, however few its rows."""
GATHER_S: Final = 0.6
"""Seconds from the start of such an insert to the next one, unless a whole batch is ready earlier."""
MAX_GROUP_BYTES: Final = 2 * 1024 * 1024
"""Bytes of bodies that are decoded in one call, in a thread."""
STOP_S: Final = 8.0
"""Seconds in which a stopping worker finishes the entries it holds; the others are left to the next one."""
WAIT_MS: Final = 500
STALE_MS: Final = 30_000
"""Entries that another worker holds for longer than this are taken over."""
CLAIM_EVERY_S: Final = 10.0
MOST_PATTERNS_LISTED: Final = 100
"""Disabled patterns that each heartbeat lists."""
COLLECT_AFTER: Final = 50_000
"""Allocations between garbage collections: a batch allocates many objects, none of them in a cycle."""
SUSPECT_AFTER: Final = 3
"""After this many deliveries an entry is decoded alone, in case it crashes the worker."""
MAX_CRASHES: Final = 10
"""After this many deliveries an entry is assumed to crash the worker and is dead-lettered."""


async def run(settings: Settings, name: str) -> None:
    """Work until SIGTERM or SIGINT, then finish the entries at hand. `name` must be the same after a restart."""
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER)
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    async with open_worker(settings, name, stopping) as worker:
        await worker.work()


@contextlib.asynccontextmanager
async def open_worker(settings: Settings, name: str, stopping: asyncio.Event) -> AsyncIterator[Worker]:
    """A worker with its connections, which are closed at the end."""
    redis = connect(settings.redis)
    clickhouse = ClickHouse(settings.clickhouse, has_deletions=PendingDeletions(redis).any)
    everything = ClickHouse(settings.clickhouse)  # jobs also read deleted rows
    postgres = Postgres(settings.postgres)
    lookups = PostgresLookups(postgres)
    try:
        await postgres.open()
        stream = IngestStream(redis, settings.ingestion)
        blobs = blob_store(settings)
        media = MediaKeeper(MediaRecords(postgres), blobs)
        patches = Patches(redis)
        sink = Sink(Stored(clickhouse), Writer(clickhouse), patches, lookups, media)
        outcomes = Outcomes(stream, Live(redis), settings.ingestion.max_attempts, stopping)
        stores = Stores(
            settings=settings,
            clickhouse=everything,
            postgres=postgres,
            redis=redis,
            stream=stream,
            blobs=blobs,
        )
        async with running_jobs(stores, periodic_jobs(stores), QUEUED):
            yield Worker(name, stream, sink, patches, lookups, outcomes, Heartbeats(redis), stopping)
    finally:
        await lookups.close()
        await postgres.close()
        await clickhouse.close()
        await everything.close()
        await redis.aclose()


@dataclass(frozen=True, slots=True)
class StoredBatch:
    """A batch whose rows are all written."""

    batch: Batch
    written: Written


class Worker:
    """One consumer of the queue."""

    def __init__(
        self,
        name: str,
        stream: Stream,
        sink: BatchSink,
        patches: PatchStore,
        lookups: Lookups,
        outcomes: Outcomes,
        heartbeats: WorkerHeartbeats,
        stopping: asyncio.Event,
    ) -> None:
        self.name = name
        self._stream = stream
        self._sink = sink
        self._patches = patches
        self._lookups = lookups
        self._outcomes = outcomes
        self._heartbeats = heartbeats
        self._stopping = stopping
        self._waiting_for_postgres = WaitingForPostgres(lookups, lambda delivery: self._large.put(delivery))
        self._large = LargeEntries(name, stream, sink, lookups, outcomes, stopping, self._waiting_for_postgres.put)
        self._recovered_to: str | None = "0"
        """Id of the last unacknowledged entry taken up after a start; None when there are no more."""
        self._drained = False
        self._next = Batch()
        """The decoded batch that waits for the insert before it."""
        self._changed = asyncio.Condition()
        self._stored: asyncio.Queue[StoredBatch | None] = asyncio.Queue(1)
        """The batch to acknowledge while the next one is being written; None at the end."""
        self._loop = asyncio.get_running_loop()
        self._claimed_at = self._loop.time()
        self._cannot_read = ""
        self._started_at = time.time()
        self._written = 0

    async def work(self) -> None:
        """Read, decode and write until told to stop, then write what was read within `STOP_S`."""
        is_orderly = False
        beating = asyncio.create_task(self._beat())
        parked = asyncio.create_task(self._waiting_for_postgres.work())
        ways = (self._read(), self._write(), self._finish(), self._large.work())
        lanes = [asyncio.create_task(lane) for lane in ways]
        stop = asyncio.create_task(self._stopping.wait())
        try:
            # Before the stop, a lane ends only by an error, and the others must not go on without it.
            await asyncio.wait({*lanes, stop}, return_when=asyncio.FIRST_COMPLETED)
            if self._stopping.is_set():
                await asyncio.wait(lanes[:3], timeout=STOP_S)
            for lane in lanes:
                if lane.done():
                    lane.result()
            is_orderly = True
        finally:
            await cancel(beating, parked, stop, *lanes)
            with contextlib.suppress(*AWAY):
                if is_orderly:
                    await self._outcomes.hand_back(self.name)
                await self._heartbeats.stop(self.name)

    async def _read(self) -> None:
        backoff = Backoff()
        while not self._stopping.is_set():
            try:
                await self._lookups.load()
                await self._take(await self._more())
                backoff.reset()
                self._cannot_read = ""
            except AWAY as error:
                self._cannot_read = error.message
                self._recovered_to = "0"  # entries may have been delivered in an answer that was lost
                log.warning("Cannot read from the queue: %s", error)
                await backoff.wait(self._stopping)
            except Stopped:
                break
        async with self._changed:
            self._drained = True
            self._changed.notify_all()

    async def _more(self) -> list[Delivery]:
        """The next entries: first those held before a crash, then new ones, and now and then those of dead workers."""
        if self._recovered_to is not None:
            deliveries = await self._stream.read_pending(self.name, MAX_ENTRIES, self._recovered_to)
            self._recovered_to = deliveries[-1].id if deliveries else None
            return deliveries
        if not self._outcomes.waits_for and self._loop.time() - self._claimed_at > CLAIM_EVERY_S:
            if deliveries := await self._stream.claim_stale(self.name, STALE_MS):
                return deliveries  # there may be more
            self._claimed_at = self._loop.time()
            if not self._outcomes.in_hand:  # the driver may have repeated a read whose answer was lost
                self._recovered_to = "0"
        return await self._stream.read(self.name, MAX_ENTRIES, WAIT_MS)

    async def _take(self, deliveries: Sequence[Delivery]) -> None:
        """Decode entries, in groups that fit in memory, and hand them to the writer when it has room."""
        fresh = [delivery for delivery in deliveries if delivery.id not in self._outcomes.in_hand]
        if fresh:
            await self._lookups.refresh(max(delivery.entry.accepted_at for delivery in fresh))
        # From here on nothing may fail: entries in `in_hand` are not taken up again.
        self._outcomes.in_hand |= {delivery.id: delivery.attempts for delivery in fresh}
        for delivery in fresh:
            if delivery.attempts > MAX_CRASHES:
                await self._outcomes.dead_letter(delivery, "The worker ended again and again while it had this entry.")
            elif is_large(delivery):
                self._large.put(delivery)
        fresh = [each for each in fresh if each.attempts <= MAX_CRASHES and not is_large(each)]
        for group in decode_groups(fresh):
            batch = await self._decode(group)
            async with self._changed:
                await self._changed.wait_for(lambda: self._next.size < MAX_BATCH_BYTES)
                self._next.add(batch)
                self._changed.notify_all()

    async def _decode(self, deliveries: Sequence[Delivery]) -> Batch:
        """The rows of all entries that can be decoded; the others become dead letters."""
        try:
            return await asyncio.to_thread(process, deliveries, self._lookups.pricing)
        except Undecodable as error:
            if len(deliveries) == 1:
                await self._outcomes.dead_letter(deliveries[0], error.message)
                return Batch()
        except Exception as error:
            # The outermost guard: one entry that triggers a bug must not stop all others.
            log.exception("Cannot process %s", ", ".join(delivery.id for delivery in deliveries))
            if len(deliveries) == 1:
                await self._outcomes.retry_later(deliveries[0], repr(error))
                return Batch()
        whole = Batch()
        for delivery in deliveries:
            whole.add(await self._decode([delivery]))
        return whole

    async def _write(self) -> None:
        not_before = 0.0
        while True:
            async with self._changed:
                await self._changed.wait_for(lambda: self._next.deliveries or self._drained)
                if (pause := not_before - self._loop.time()) > 0:
                    await self._gather(pause)
                batch, self._next = self._next, Batch()
                self._changed.notify_all()
            if not batch.deliveries:
                return await self._stored.put(None)
            not_before = next_insert_at(batch.rows, self._loop.time())
            with contextlib.suppress(Stopped):
                await self._store(batch)

    async def _gather(self, seconds: float) -> None:
        """Wait this long for more rows, or until there are enough for one insert."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._changed.wait_for(lambda: self._next.size >= MAX_BATCH_BYTES or self._drained)

    async def _finish(self) -> None:
        """Publish the changes of each written batch and acknowledge it, while the next batch is being written."""
        while (stored := await self._stored.get()) is not None:
            with contextlib.suppress(Stopped):
                await self._outcomes.report_changes(stored.written.traces)
                await self._outcomes.acknowledge(stored.batch.deliveries, stored.written.refused)

    async def _store(self, batch: Batch) -> None:
        """Write a batch, retrying as long as a store is away; only then may it be acknowledged.

        Raises Stopped when told to stop while a store is away; the next worker of the same name takes up the batch.
        """
        is_alone = len(batch.deliveries) == 1
        try:
            written = await self._outcomes.persist(lambda: self._sink.write(batch), is_alone=is_alone)
        except (Undecodable, LookupUnavailable, *DOUBTFUL) as error:
            return await self._store_apart(batch, error)
        except Stopped:
            raise
        except Exception as error:
            # The outermost guard: one entry must not stop all others.
            log.exception("Cannot write %d entries together", len(batch.deliveries))
            return await self._store_apart(batch, error)
        self._written += len(batch.observations) + len(batch.patches)
        return await self._stored.put(StoredBatch(batch, written))

    async def _store_apart(self, batch: Batch, error: Exception) -> None:
        """Write each entry by itself, so that the one that cannot be written does not take the others with it."""
        if len(batch.deliveries) > 1:
            for delivery in batch.deliveries:
                await self._store(await self._decode([delivery]))
        elif isinstance(error, LookupUnavailable):
            self._waiting_for_postgres.put(batch.deliveries[0])
        elif isinstance(error, Undecodable):
            await self._outcomes.dead_letter(batch.deliveries[0], error.message)
        else:
            reason = error.message if isinstance(error, DOUBTFUL) else repr(error)
            await self._outcomes.retry_later(batch.deliveries[0], reason)

    async def _beat(self) -> None:
        while True:
            state: dict[str, object] = {
                "pid": os.getpid(),
                "started_at": self._started_at,
                "rows_written": self._written + self._large.written,
                "in_hand": len(self._outcomes.in_hand),
                "waits_for": self._outcomes.waits_for or self._cannot_read or self._waiting_for_postgres.summary,
                "patterns_set_aside": sorted(patterns_set_aside())[:MOST_PATTERNS_LISTED],
            }
            with contextlib.suppress(*AWAY):
                await self._heartbeats.beat(self.name, state)
                await self._stream.keep(self.name, self._outcomes.in_hand)
                await self._patches.suit_memory()
            await asyncio.sleep(BEAT_EVERY_S)


def next_insert_at(rows: int, began: float) -> float:
    """When the next insert may begin: at once after a small one, later after a large one to make fewer parts."""
    return began + GATHER_S if rows >= MANY_ROWS else began


def is_large(delivery: Delivery) -> bool:
    """Whether an entry is to be decoded in chunks."""
    return delivery.is_without_body or delivery.entry.weight > LARGE_BYTES


def decode_groups(deliveries: Sequence[Delivery]) -> list[list[Delivery]]:
    """Entries in groups to decode together; one that was delivered too often is alone in its group."""
    groups: list[list[Delivery]] = []
    size = 0
    for delivery in deliveries:
        is_suspect = delivery.attempts > SUSPECT_AFTER
        if not groups or is_suspect or size + delivery.entry.weight > MAX_GROUP_BYTES:
            groups.append([])
            size = 0
        groups[-1].append(delivery)
        size = MAX_GROUP_BYTES if is_suspect else size + delivery.entry.weight
    return groups
