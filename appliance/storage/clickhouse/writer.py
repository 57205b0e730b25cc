"""Writes rows: JSON lines in blocks of bounded size, observations before the traces that show them.

Writing the same rows again is harmless: they replace each other by key, and a trace marked twice is only
aggregated again.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Iterator, Sequence
from typing import Final

import msgspec

from appliance.errors import TooMuchAtOnce
from appliance.model.dirty_traces import dirty_traces_of
from appliance.model.observations import Observation, listed
from appliance.model.scores import Score
from appliance.model.traces import TracePart
from appliance.storage.clickhouse.client import ClickHouse

MAX_BLOCK_BYTES: Final = 16 * 1024 * 1024
"""Bytes of a block; a batch of the worker is one block, as many small parts cost more than few large ones."""
DIRTY_FOR_S: Final = 3.0
"""Rows that become visible within this time of their mark are aggregated after it (`aggregate.SOON_S`)."""
_ROWS_PER_CHUNK: Final = 32
_LISTED_AT_ONCE: Final = 20_000
_FEW: Final = 500

_encoder = msgspec.json.Encoder(decimal_format="number")


def encode(rows: Sequence[msgspec.Struct], max_bytes: int = MAX_BLOCK_BYTES) -> Iterator[bytes]:
    """Rows as JSON lines, in blocks of about `max_bytes` at most (one row larger than that is a block of its own)."""
    chunks: list[bytes] = []
    size = 0
    for first in range(0, len(rows), _ROWS_PER_CHUNK):
        lines = _encoder.encode_lines(rows[first : first + _ROWS_PER_CHUNK])
        if chunks and size + len(lines) > max_bytes:
            yield b"".join(chunks)
            chunks, size = [], 0
        chunks.append(lines)
        size += len(lines)
    if chunks:
        yield b"".join(chunks)


class Writer:
    """Inserts the rows of the tracing tables."""

    def __init__(self, clickhouse: ClickHouse) -> None:
        self._clickhouse = clickhouse

    async def write(
        self,
        observations: Sequence[Observation] = (),
        scores: Sequence[Score] = (),
        parts: Sequence[TracePart] = (),
    ) -> None:
        """Store rows, with those of lists and marks of dirty traces; parts last: no trace shows before its contents.

        Raises Undecodable when a row does not fit its table, StoreUnavailable when trying again may help, TooMuchAtOnce
        when there was no memory even for a single row, StoreRefused for reasons unknown; some rows may be stored then.
        """
        began = time.monotonic()
        dirty = dirty_traces_of(observations, parts)
        await _all(
            self._write("observations", observations),
            self._write_listed(observations),
            self._write("scores", scores),
            self._write("touched_traces", dirty),
        )
        await self._write("trace_parts", parts)
        if time.monotonic() - began > DIRTY_FOR_S:
            await self._write("touched_traces", dirty)

    async def _write_listed(self, rows: Sequence[Observation]) -> None:
        for first in range(0, len(rows), _LISTED_AT_ONCE):
            some = rows[first : first + _LISTED_AT_ONCE]
            # The wide rows are being sent meanwhile; few rows are not worth a thread.
            blocks = await asyncio.to_thread(_listed_blocks, some) if len(some) > _FEW else _listed_blocks(some)
            for block in blocks:
                await self._insert("observations_list", block)

    async def _write(self, table: str, rows: Sequence[msgspec.Struct]) -> None:
        for block in encode(rows):
            await self._insert(table, block)

    async def _insert(self, table: str, block: bytes) -> None:
        try:
            await self._clickhouse.insert(table, block)
        except TooMuchAtOnce:
            middle = _line_near_middle(block)
            if not middle:
                raise
            await self._insert(table, block[:middle])
            await self._insert(table, block[middle:])


def _listed_blocks(rows: Sequence[Observation]) -> list[bytes]:
    return list(encode([listed(row) for row in rows]))


async def _all(*work: Awaitable[None]) -> None:
    """Wait for all inserts, so that none goes on unobserved after a failure; then raise the first error."""
    for result in await asyncio.gather(*work, return_exceptions=True):
        if isinstance(result, BaseException):
            raise result


def _line_near_middle(block: bytes) -> int:
    """The position of the line nearest to the middle of the block; 0 when there is only one line."""
    half = len(block) // 2
    after = block.find(b"\n", half, len(block) - 1) + 1
    return after or block.rfind(b"\n", 0, half) + 1
