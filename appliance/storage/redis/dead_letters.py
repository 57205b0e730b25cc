"""Requests that could not be processed, kept until a user replays or drops them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Final, Literal

from redis.asyncio import Redis

from appliance.model.queue import Entry
from appliance.storage.redis.client import translated_errors
from appliance.storage.redis.entry_fields import entry_of
from appliance.storage.redis.ingest_stream import DEAD_LETTERS, STREAM
from appliance.storage.redis.receipts import RECEIPTS
from appliance.storage.redis.scripts import Script

_PAGE: Final = 100


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A request that could not be processed."""

    id: str
    """Id in the stream of dead letters; begins with the millisecond in which it became one."""
    entry: Entry
    """The entry as it was accepted; without its body in a list."""
    body_bytes: int
    error: str
    attempts: int

    @property
    def died_at(self) -> int:
        """Microseconds since the epoch."""
        return int(self.id.partition("-")[0]) * 1000


class DeadLetters:
    """List, show, replay and drop. Every method raises StoreUnavailable."""

    def __init__(self, client: Redis) -> None:
        self._redis = client
        self._list_script, self._end_script = Script(client, "list_dead_letters"), Script(client, "end_dead_letter")

    async def all(self, project_id: str | None = None) -> AsyncIterator[DeadLetter]:
        """All letters of a project, or of all projects, oldest first, without their bodies."""
        start = "-"
        while True:
            with translated_errors():
                letters = await self._list_script([DEAD_LETTERS], [start, _PAGE])
            for id, words in letters:
                fields = dict(zip(words[::2], words[1::2], strict=True))
                size = int(fields.get(b"b", 0))
                letter = _letter(id.decode(), fields | {b"b": b""}, size)
                if project_id is None or letter.entry.project_id == project_id:
                    yield letter
            if len(letters) < _PAGE:
                return
            start = f"({letters[-1][0].decode()}"

    async def get(self, id: str) -> DeadLetter | None:
        """One letter with its body, None when there is none of this id."""
        with translated_errors():
            letters: Any = await self._redis.xrange(DEAD_LETTERS, id, id)
        return _letter(id, letters[0][1], len(letters[0][1].get(b"b", b""))) if letters else None

    async def replay(self, id: str) -> bool:
        """Put a letter back into the queue, as new; False when there is none of this id.

        It is moved in one step. One that fails again becomes a dead letter again.
        """
        return await self._end(id, "replay")

    async def drop(self, id: str) -> bool:
        """Delete a letter for good; False when there is none of this id."""
        return await self._end(id, "drop")

    async def _end(self, id: str, how: Literal["replay", "drop"]) -> bool:
        with translated_errors():
            return bool(await self._end_script([DEAD_LETTERS, STREAM, RECEIPTS], [id, how]))


def _letter(id: str, fields: dict[bytes, bytes], size: int) -> DeadLetter:
    error = fields.get(b"error", b"").decode(errors="replace")
    return DeadLetter(id, entry_of(fields), size, error, int(fields.get(b"attempts", 1)))
