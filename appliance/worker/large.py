"""Large entries: one at a time, piece by piece, beside all others: neither memory nor anybody waits for them."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from collections.abc import Iterator
from typing import Final

from appliance.errors import Undecodable
from appliance.ingestion.process import Batch, plain_body, process
from appliance.ingestion.split import split_body
from appliance.storage.redis.ingest_stream import Delivery, IngestStream
from appliance.worker.endings import Endings
from appliance.worker.reference import Reference
from appliance.worker.retry import DOUBTFUL, Stopped
from appliance.worker.sink import Sink

log = logging.getLogger(__name__)

LARGE_BYTES: Final = 4 * 1024 * 1024
"""Bodies (after decompression) from which an entry is decoded in pieces."""
PIECE_BYTES: Final = 1024 * 1024


class LargeEntries:
    """A queue of ids: while an entry waits here, its body stays in Redis.

    A killed worker begins again with the first piece; the rows are the same ones.
    """

    def __init__(
        self,
        name: str,
        stream: IngestStream,
        sink: Sink,
        reference: Reference,
        endings: Endings,
        stopping: asyncio.Event,
    ) -> None:
        self._name = name
        self._stream = stream
        self._sink = sink
        self._reference = reference
        self._endings = endings
        self._stopping = stopping
        self._waiting: asyncio.Queue[Delivery] = asyncio.Queue()

    def put(self, delivery: Delivery) -> None:
        """Take an entry into the queue."""
        self._waiting.put_nowait(_without_body(delivery))

    async def work(self) -> None:
        """Store one entry after the other, until told to stop; what is not finished then is left to the next worker."""
        try:
            while not self._stopping.is_set():
                await self._store(await self._waiting.get())
        except Stopped:
            return

    async def _store(self, waiting: Delivery) -> None:
        delivery = await self._endings.persist(lambda: self._stream.fetch(waiting, self._name))
        if delivery is None:  # somebody else was quicker
            self._endings.in_hand.pop(waiting.id, None)
            return
        try:
            await self._write(delivery)
        except Undecodable as error:
            await self._endings.give_up(delivery, error.message)
        except DOUBTFUL as error:
            await self._endings.try_later(delivery, error.message)
        except Stopped:
            raise
        except Exception as error:
            # The outermost guard: one entry that meets a mistake of ours must not stop all others.
            log.exception("Cannot process %s", delivery.id)
            await self._endings.try_later(delivery, repr(error))
        else:
            await self._endings.acknowledge([delivery])

    async def _write(self, delivery: Delivery) -> None:
        """First the contents of all pieces, then the parts of traces: no trace shows before all of its observations."""
        body = await asyncio.to_thread(plain_body, delivery.entry)
        delivery = _without_body(delivery)
        for writes_parts in (False, True):
            pieces = split_body(delivery.entry.kind, body, PIECE_BYTES)
            while await self._write_next(pieces, delivery, writes_parts=writes_parts):
                if self._stopping.is_set():
                    raise Stopped

    async def _write_next(self, pieces: Iterator[bytes], delivery: Delivery, *, writes_parts: bool) -> bool:
        """Write one piece, and keep nothing of it; False when there is none."""
        batch = await asyncio.to_thread(self._next_batch, pieces, delivery)
        if batch is None:
            return False
        if writes_parts:
            chosen = Batch(parts=batch.parts, media=batch.media)
        else:
            chosen = Batch(observations=batch.observations, patches=batch.patches, media=batch.media)
        changed = await self._endings.persist(lambda: self._sink.write(chosen))
        if writes_parts:
            await self._endings.tell(changed)
        return True

    def _next_batch(self, pieces: Iterator[bytes], delivery: Delivery) -> Batch | None:
        piece = next(pieces, None)
        if piece is None:
            return None
        entry = dataclasses.replace(delivery.entry, body=piece, encoding="")
        return process([dataclasses.replace(delivery, entry=entry)], self._reference.pricing)


def _without_body(delivery: Delivery) -> Delivery:
    return dataclasses.replace(delivery, entry=dataclasses.replace(delivery.entry, body=b""))
