"""Large entries: one at a time, piece by piece, beside all others: neither memory nor anybody waits for them."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from appliance.errors import ApplianceError, ReferenceUnknown, Undecodable
from appliance.ingestion.accept import count_items
from appliance.ingestion.process import Batch, plain_body, process
from appliance.ingestion.split import split_body
from appliance.model.queue import Delivery
from appliance.worker.contract import BatchSink, Lookups, Stream
from appliance.worker.outcomes import Endings
from appliance.worker.retry import DOUBTFUL, Stopped

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
        stream: Stream,
        sink: BatchSink,
        reference: Lookups,
        endings: Endings,
        stopping: asyncio.Event,
        park: Callable[[Delivery], None],
    ) -> None:
        self._name = name
        self._stream = stream
        self._sink = sink
        self._reference = reference
        self._endings = endings
        self._stopping = stopping
        self._park = park
        self.written = 0
        """Rows, and patches of rows, since the start."""
        self._waiting: asyncio.Queue[Delivery] = asyncio.Queue()

    def put(self, delivery: Delivery) -> None:
        """Take an entry into the queue."""
        self._waiting.put_nowait(delivery.without_body())

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
            delivery, refused = await self._write(delivery)
        except ReferenceUnknown:
            self._park(delivery)
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
            await self._endings.acknowledge([delivery], {delivery.id: refused})

    async def _write(self, delivery: Delivery) -> tuple[Delivery, int]:
        """First the contents of all pieces, then the parts of traces: no trace shows before all of its observations.

        A piece that cannot be written is set aside alone. Returns the entry without the items of such pieces, and the
        number of its items that were refused.
        """
        body = await asyncio.to_thread(plain_body, delivery.entry)
        work = _Work(delivery.without_body())
        for work.writes_parts in (False, True):
            pieces = enumerate(split_body(delivery.entry.kind, body, PIECE_BYTES))
            while (found := await asyncio.to_thread(next, pieces, None)) is not None:
                if self._stopping.is_set():
                    raise Stopped
                number, piece = found
                is_whole = len(piece) >= len(body)
                del found
                if number not in work.aside:
                    await self._write_piece(work, number, piece, is_whole=is_whole)
                del piece
        entry = dataclasses.replace(
            delivery.entry, body=b"", items=max(delivery.entry.items - sum(work.aside.values()), 0)
        )
        return dataclasses.replace(delivery, entry=entry), work.refused

    async def _write_piece(self, work: _Work, number: int, piece: bytes, *, is_whole: bool) -> None:
        """Write one piece, and keep nothing of it."""
        try:
            await self._write_batch(work, piece)
        except (Stopped, ReferenceUnknown):
            raise
        except Exception as error:
            # The outermost guard, for a piece: it must not take the others with it.
            if is_whole or not (isinstance(error, Undecodable) or self._endings.is_last_attempt(work.delivery)):
                raise
            log.exception("Cannot write part %d of %s", number, work.delivery.id)
            reason = error.message if isinstance(error, ApplianceError) else repr(error)
            items = await asyncio.to_thread(count_items, work.delivery.entry.kind, piece)
            part = dataclasses.replace(
                work.delivery.entry, body=piece, encoding="", items=items, plain_bytes=len(piece)
            )
            await self._endings.set_aside(work.delivery, number, part, reason)
            work.aside[number] = items

    async def _write_batch(self, work: _Work, piece: bytes) -> None:
        entry = dataclasses.replace(work.delivery.entry, body=piece, encoding="")
        delivery = dataclasses.replace(work.delivery, entry=entry)
        batch = await asyncio.to_thread(process, [delivery], self._reference.pricing)
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
        written = await self._endings.persist(lambda: self._sink.write(chosen))
        work.refused += sum(written.refused.values())
        self.written += len(chosen.observations) + len(chosen.patches)
        if work.writes_parts:
            await self._endings.tell(written.traces)


@dataclass(slots=True)
class _Work:
    """How far an entry has come."""

    delivery: Delivery
    """Without its body."""
    writes_parts: bool = False
    refused: int = 0
    aside: dict[int, int] = field(default_factory=dict)
    """Items of the pieces that were set aside, by the number of the piece."""
