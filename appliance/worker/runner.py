"""The worker's life: read, decode, write, acknowledge, tell; and start again where a crash left off.

While one batch is being written the next one gathers, so batches grow with the load and nothing waits for a timer.
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
from typing import Final

from appliance.config import Settings
from appliance.errors import StoreUnavailable, Undecodable
from appliance.ingestion.process import Batch, process
from appliance.storage.blobs.choice import blob_store
from appliance.storage.clickhouse.client import ClickHouse
from appliance.storage.postgres.media import MediaRecords
from appliance.storage.postgres.pool import Postgres
from appliance.storage.redis.client import connect
from appliance.storage.redis.heartbeats import BEAT_EVERY_S, Heartbeats
from appliance.storage.redis.ingest_stream import Delivery, IngestStream
from appliance.storage.redis.live import Live
from appliance.storage.redis.patches import Patches
from appliance.worker.media import MediaKeeper
from appliance.worker.reference import Reference
from appliance.worker.retry import Backoff
from appliance.worker.sink import Sink

log = logging.getLogger(__name__)

MAX_ENTRIES: Final = 128
MAX_BATCH_BYTES: Final = 12 * 1024 * 1024
"""Bodies (after decompression) that are decoded together; what one insert of observations is made of."""
MAX_PIECE_BYTES: Final = 2 * 1024 * 1024
"""Bodies that are decoded in one go, before the loop gets a turn."""
WAIT_MS: Final = 500
STALE_MS: Final = 30_000
"""Entries that another worker holds for longer than this are taken over."""
CLAIM_EVERY_S: Final = 10.0
COLLECT_AFTER: Final = 50_000
"""Objects made before garbage is looked for: a batch makes many, and none of them in circles."""
MAX_CRASHES: Final = 10
"""Deliveries after which an entry is thought to be what ends the worker."""


async def run(settings: Settings, name: str) -> None:
    """Work until SIGTERM or SIGINT, then finish what is in hand. `name` must be the same after a restart."""
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
    clickhouse = await ClickHouse.connect(settings.clickhouse)
    postgres = Postgres(settings.postgres)
    reference = Reference(postgres)
    try:
        await postgres.open()
        stream = IngestStream(redis, settings.ingestion)
        media = MediaKeeper(MediaRecords(postgres), blob_store(settings))
        sink = Sink(clickhouse, Patches(redis), reference, media)
        yield Worker(
            name, stream, sink, reference, Live(redis), Heartbeats(redis), settings.ingestion.max_attempts, stopping
        )
    finally:
        await reference.close()
        await postgres.close()
        await clickhouse.close()
        await redis.aclose()


class Worker:
    """One consumer of the queue."""

    def __init__(
        self,
        name: str,
        stream: IngestStream,
        sink: Sink,
        reference: Reference,
        live: Live,
        heartbeats: Heartbeats,
        max_attempts: int,
        stopping: asyncio.Event,
    ) -> None:
        self.name = name
        self._stream = stream
        self._sink = sink
        self._reference = reference
        self._live = live
        self._heartbeats = heartbeats
        self._max_attempts = max_attempts
        self._stopping = stopping
        self._recovered_to: str | None = "0"
        """The last entry taken up again after a start; None when there are no more."""
        self._drained = False
        self._next = Batch()
        """What is decoded and waits for the write before it."""
        self._changed = asyncio.Condition()
        self._in_hand: set[str] = set()
        """Ids of all entries that were read and are neither acknowledged nor given up here."""
        self._claimed_at = time.monotonic()
        self._waits_for = ""
        self._cannot_read = ""
        self._started_at = time.time()
        self._written = 0

    async def work(self) -> None:
        """Read, decode and write until told to stop, then write what was read."""
        beating = asyncio.create_task(self._beat())
        writing = asyncio.create_task(self._write())
        try:
            reading = asyncio.create_task(self._read())
            await asyncio.wait({reading, writing}, return_when=asyncio.FIRST_COMPLETED)
            if writing.done():  # only by an error: reading must not go on without it
                reading.cancel()
            await asyncio.gather(reading, writing)
        finally:
            beating.cancel()
            writing.cancel()
            await asyncio.gather(beating, writing, return_exceptions=True)
            with contextlib.suppress(StoreUnavailable):
                await self._heartbeats.stop(self.name)

    async def _read(self) -> None:
        backoff = Backoff()
        while not self._stopping.is_set():
            try:
                await self._reference.load()
                await self._take(await self._more())
                backoff.reset()
                self._cannot_read = ""
            except StoreUnavailable as error:
                self._cannot_read = error.message
                self._recovered_to = "0"  # Redis may have handed out what never arrived
                log.warning("Cannot read from the queue: %s", error)
                await backoff.wait(self._stopping)
        async with self._changed:
            self._drained = True
            self._changed.notify_all()

    async def _more(self) -> list[Delivery]:
        """The next entries: first what this worker held before a crash, then new ones, at times what others left."""
        if self._recovered_to is not None:
            found = await self._stream.read_pending(self.name, MAX_ENTRIES, self._recovered_to)
            self._recovered_to = found[-1].id if found else None
            return found
        if not self._waits_for and time.monotonic() - self._claimed_at > CLAIM_EVERY_S:
            self._claimed_at = time.monotonic()
            if not self._in_hand:  # the driver may have asked again after an answer that was lost on its way
                self._recovered_to = "0"
            return await self._stream.claim_stale(self.name, STALE_MS)
        return await self._stream.read(self.name, MAX_ENTRIES, WAIT_MS)

    async def _take(self, deliveries: Sequence[Delivery]) -> None:
        """Decode entries, in pieces that fit in memory, and hand them to the writer when it has room."""
        known = [delivery for delivery in deliveries if delivery.id not in self._in_hand]
        fresh = [delivery for found in known if (delivery := await self._whole(found)) is not None]
        if fresh:
            await self._reference.refresh(max(delivery.entry.accepted_at for delivery in fresh))
        # From here on nothing may fail: what is in hand is not taken up again.
        self._in_hand.update(delivery.id for delivery in fresh)
        for piece in pieces(fresh, self._max_attempts):
            batch = await self._decode(piece)
            async with self._changed:
                await self._changed.wait_for(lambda: self._next.size < MAX_BATCH_BYTES)
                self._next.add(batch)
                self._changed.notify_all()

    async def _whole(self, delivery: Delivery) -> Delivery | None:
        return await self._stream.fetch(delivery, self.name) if delivery.is_without_body else delivery

    async def _decode(self, deliveries: Sequence[Delivery]) -> Batch:
        """The rows of all entries that can be decoded; the others become dead letters."""
        if deliveries[0].attempts > MAX_CRASHES:
            await self._give_up(deliveries[0], "The worker ended again and again while it had this entry.")
            return await self._decode(deliveries[1:]) if deliveries[1:] else Batch()
        try:
            return await asyncio.to_thread(process, deliveries, self._reference.pricing)
        except Undecodable as error:
            if len(deliveries) == 1:
                await self._give_up(deliveries[0], error.message)
                return Batch()
        except Exception as error:
            # The outermost guard: one entry that meets a mistake of ours must not stop all others.
            log.exception("Cannot process %s", ", ".join(delivery.id for delivery in deliveries))
            if len(deliveries) == 1:
                await self._try_later(deliveries[0], repr(error))
                return Batch()
        whole = Batch()
        for delivery in deliveries:
            whole.add(await self._decode([delivery]))
        return whole

    async def _write(self) -> None:
        while True:
            async with self._changed:
                await self._changed.wait_for(lambda: self._next.deliveries or self._drained)
                batch, self._next = self._next, Batch()
                self._changed.notify_all()
            if not batch.deliveries:
                return
            await self._store(batch)

    async def _store(self, batch: Batch) -> None:
        """Write a batch, however long its stores are away; only then acknowledge it and tell who watches.

        Told to stop while a store is away, it leaves the batch to the next worker of its name.
        """
        backoff = Backoff()
        while True:
            try:
                projects = await self._sink.write(batch)
                await self._stream.ack(batch.deliveries)
                break
            except StoreUnavailable as error:
                self._waits_for = error.message
                log.warning("Cannot write yet: %s", error)
                await backoff.wait(self._stopping)
                if self._stopping.is_set():
                    return
            except Undecodable as error:
                await self._store_apart(batch, error)
                return
            except Exception as error:
                # The outermost guard: what one entry brings about must not stop all others.
                log.exception("Cannot write %d entries together", len(batch.deliveries))
                await self._store_apart(batch, error)
                return
        self._waits_for = ""
        self._written += len(batch.observations) + len(batch.patches)
        self._in_hand.difference_update(delivery.id for delivery in batch.deliveries)
        with contextlib.suppress(StoreUnavailable):  # who watches can also look
            for project_id, trace_ids in projects.items():
                await self._live.publish(project_id, trace_ids)

    async def _store_apart(self, batch: Batch, error: Exception) -> None:
        """Write each entry by itself, so that the one that cannot be written does not take the others with it."""
        if len(batch.deliveries) > 1:
            for delivery in batch.deliveries:
                await self._store(await self._decode([delivery]))
        elif isinstance(error, Undecodable):
            await self._give_up(batch.deliveries[0], error.message)
        else:
            await self._try_later(batch.deliveries[0], repr(error))

    async def _give_up(self, delivery: Delivery, reason: str) -> None:
        log.error("Entry %s becomes a dead letter: %s", delivery.id, reason)
        backoff = Backoff()
        while True:
            try:
                await self._stream.dead_letter(delivery, reason)
                break
            except StoreUnavailable as error:
                self._waits_for = error.message
                await backoff.wait(self._stopping)
                if self._stopping.is_set():
                    break
        self._in_hand.discard(delivery.id)

    async def _try_later(self, delivery: Delivery, reason: str) -> None:
        """Leave an entry unacknowledged, to be claimed again after a while; give it up after too many attempts."""
        if delivery.attempts >= self._max_attempts:
            await self._give_up(delivery, reason)
        self._in_hand.discard(delivery.id)

    async def _beat(self) -> None:
        while True:
            state: dict[str, object] = {
                "pid": os.getpid(),
                "started_at": self._started_at,
                "rows_written": self._written,
                "in_hand": len(self._in_hand),
                "waits_for": self._waits_for or self._cannot_read,
            }
            with contextlib.suppress(StoreUnavailable):
                await self._heartbeats.beat(self.name, state)
            await asyncio.sleep(BEAT_EVERY_S)


def pieces(deliveries: Sequence[Delivery], max_attempts: int) -> list[list[Delivery]]:
    """Entries in groups to decode together; one that was tried too often stands alone, in case it ends the worker."""
    groups: list[list[Delivery]] = []
    size = 0
    for delivery in deliveries:
        # Compressed bodies grow to about four times their size.
        weight = len(delivery.entry.body) * (4 if delivery.entry.encoding else 1)
        is_suspect = delivery.attempts > max_attempts
        if not groups or is_suspect or size + weight > MAX_PIECE_BYTES:
            groups.append([])
            size = 0
        groups[-1].append(delivery)
        size = MAX_PIECE_BYTES if is_suspect else size + weight
    return groups
