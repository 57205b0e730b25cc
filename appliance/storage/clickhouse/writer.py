"""Writes rows: JSON lines in blocks of bounded size, observations before the traces that show them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from appliance.errors import TooMuchAtOnce
from appliance.model.observations import Observation
from appliance.model.scores import Score
from appliance.model.traces import TracePart
from appliance.storage.clickhouse.client import ClickHouse

MAX_BLOCK_BYTES: Final = 16 * 1024 * 1024
"""A batch of the worker is one block: many small parts cost more than few large ones."""
_ROWS_PER_CHUNK: Final = 32

_encoder = msgspec.json.Encoder(decimal_format="number")


def encode(rows: Sequence[msgspec.Struct], max_bytes: int = MAX_BLOCK_BYTES) -> Iterator[bytes]:
    """Rows as JSON lines, in blocks of about `max_bytes` at most (one row larger than that is a block of its own)."""
    block = bytearray()
    for first in range(0, len(rows), _ROWS_PER_CHUNK):
        lines = _encoder.encode_lines(rows[first : first + _ROWS_PER_CHUNK])
        if block and len(block) + len(lines) > max_bytes:
            yield bytes(block)
            block.clear()
        if len(lines) >= max_bytes:  # a copy of it is what memory may not have room for
            yield lines
            continue
        block += lines
        if len(block) >= max_bytes:
            yield bytes(block)
            block.clear()
    if block:
        yield bytes(block)


class Writer:
    """Inserts the rows of the tracing tables; returns when ClickHouse has stored them."""

    def __init__(self, clickhouse: ClickHouse) -> None:
        self._clickhouse = clickhouse

    async def write_observations(self, rows: Sequence[Observation]) -> None:
        """Raises Undecodable when a row does not fit its table, StoreUnavailable when trying again may help.

        TooMuchAtOnce says that there was no memory even for a single row.
        """
        await self._write("observations", rows)

    async def write_scores(self, rows: Sequence[Score]) -> None:
        """As `write_observations`."""
        await self._write("scores", rows)

    async def write_trace_parts(self, rows: Sequence[TracePart]) -> None:
        """As `write_observations`; to be called after it, so that no trace shows before its observations."""
        await self._write("trace_parts", rows)

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


def _line_near_middle(block: bytes) -> int:
    """Where a line begins after which about half of the lines' bytes lie; 0 when there is only one line."""
    half = len(block) // 2
    after = block.find(b"\n", half, len(block) - 1) + 1
    return after or block.rfind(b"\n", 0, half) + 1
