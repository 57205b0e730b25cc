"""Large entries, written one at a time and in chunks, so that they neither fill the memory nor delay other entries."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from appliance.errors import ApplianceError, LookupUnavailable, Undecodable
from appliance.ingestion.accept import count_items
from appliance.ingestion.process import Batch, plain_body, process
from appliance.ingestion.split import split_body
from appliance.model.queue import Delivery
from appliance.worker.contract import BatchSink, Lookups, Stream
from appliance.worker.outcomes import Outcomes
from appliance.worker.retry import DOUBTFUL, Stopped

log = logging.getLogger(__name__)

LARGE_BYTES: Final = 4 * 1024 * 1024
"""Bodies (after decompression) from which an entry is decoded in chunks."""
CHUNK_BYTES: Final = 1024 * 1024


class LargeEntries:
    """A queue of ids: the body of a waiting entry stays in Redis.

    After a kill an entry begins again with its first chunk, and replaces the rows that were written.
    """

    def __init__(
        self,
        name: str,
        stream: Stream,
        sink: BatchSink,
        lookups: Lookups,
        outcomes: Outcomes,
        stopping: asyncio.Event,
        wait_for_postgres: Callable[[Delivery], None],
    ) -> None:
        self._name = name
        self._stream = stream
        self._sink = sink
        self._lookups = lookups
        self._outcomes = outcomes
        self._stopping = stopping
        self._wait_for_postgres = wait_for_postgres
        self.written = 0
        """Rows and patches written since the start."""
        self._waiting: asyncio.Queue[Delivery] = asyncio.Queue()

    def put(self, delivery: Delivery) -> None:
        """Take an entry into the queue."""
        self._waiting.put_nowait(delivery.without_body())

    async def work(self) -> None:
        """Store one entry after the other until told to stop; an unfinished one is left to the next worker."""
        try:
            while not self._stopping.is_set():
                await self._store(await self._waiting.get())
        except Stopped:
            return

    async def _store(self, waiting: Delivery) -> None:
        delivery = await self._outcomes.persist(lambda: self._stream.fetch(waiting, self._name))
        if delivery is None:  # another worker finished it
            self._outcomes.in_hand.pop(waiting.id, None)
            return
        try:
            delivery, refused = await self._write(delivery)
        except LookupUnavailable:
            self._wait_for_postgres(delivery)
        except Undecodable as error:
            await self._outcomes.dead_letter(delivery, error.message)
        except DOUBTFUL as error:
            await self._outcomes.retry_later(delivery, error.message)
        except Stopped:
            raise
        except Exception as error:
            # The outermost guard: one entry that triggers a bug must not stop all others.
            log.exception("Cannot process %s", delivery.id)
            await self._outcomes.retry_later(delivery, repr(error))
        else:
            await self._outcomes.acknowledge([delivery], {delivery.id: refused})

    async def _write(self, delivery: Delivery) -> tuple[Delivery, int]:
        """Write the observations of all chunks, then the parts of traces: no trace shows before its observations.

        A chunk that cannot be written is set aside alone. Returns the entry without the items of such chunks, and the
        number of its items that were refused.
        """
        body = await asyncio.to_thread(plain_body, delivery.entry)
        work = _Work(delivery.without_body())
        for work.writes_parts in (False, True):
            chunks = enumerate(split_body(delivery.entry.kind, body, CHUNK_BYTES))
            while (numbered := await asyncio.to_thread(next, chunks, None)) is not None:
                if self._stopping.is_set():
                    raise Stopped
                number, chunk = numbered
                is_whole = len(chunk) >= len(body)
                del numbered
                if number not in work.aside:
                    await self._write_chunk(work, number, chunk, is_whole=is_whole)
                del chunk
        entry = dataclasses.replace(
            delivery.entry, body=b"", items=max(delivery.entry.items - sum(work.aside.values()), 0)
        )
        return dataclasses.replace(delivery, entry=entry), work.refused

    async def _write_chunk(self, work: _Work, number: int, chunk: bytes, *, is_whole: bool) -> None:
        """Write one chunk; dead-letter it alone when it cannot be written."""
        try:
            await self._write_batch(work, chunk)
        except (Stopped, LookupUnavailable):
            raise
        except Exception as error:
            # The outermost guard: a chunk that cannot be written must not take the others with it.
            if is_whole or not (isinstance(error, Undecodable) or self._outcomes.is_last_attempt(work.delivery)):
                raise
            log.exception("Cannot write part %d of %s", number, work.delivery.id)
            reason = error.message if isinstance(error, ApplianceError) else repr(error)
            items = await asyncio.to_thread(count_items, work.delivery.entry.kind, chunk)
            part = dataclasses.replace(
                work.delivery.entry, body=chunk, encoding="", items=items, plain_bytes=len(chunk)
            )
            await self._outcomes.dead_letter_part(work.delivery, number, part, reason)
            work.aside[number] = items

    async def _write_batch(self, work: _Work, chunk: bytes) -> None:
        entry = dataclasses.replace(work.delivery.entry, body=chunk, encoding="")
        delivery = dataclasses.replace(work.delivery, entry=entry)
        batch = await asyncio.to_thread(process, [delivery], self._lookups.pricing)
        if work.writes_parts:
            chosen = Batch(parts=batch.parts, media=batch.media)
        else:
            chosen = Batch(
                observations=batch.observations,
                totals=batch.totals,
                patches=batch.patches,
                media=batch.media,
                score_entries=batch.score_entries,
            )
        written = await self._outcomes.persist(lambda: self._sink.write(chosen))
        work.refused += sum(written.refused.values())
        self.written += len(chosen.observations) + len(chosen.patches)
        if work.writes_parts:
            await self._outcomes.report_changes(written.traces)


@dataclass(slots=True)
class _Work:
    """How far an entry has come."""

    delivery: Delivery
    """Without its body."""
    writes_parts: bool = False
    refused: int = 0
    aside: dict[int, int] = field(default_factory=dict)
    """Items of the chunks that were set aside, by the number of the chunk."""
