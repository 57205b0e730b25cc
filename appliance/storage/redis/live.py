"""Live events: which traces just became readable, from workers to watching and returning clients."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import msgspec
from redis.asyncio import Redis

from appliance.errors import InvalidRequest, PositionForgotten
from appliance.storage.redis.client import translated_errors
from appliance.storage.redis.keys import key
from appliance.storage.redis.scripts import Script

NOTHING: Final = b"[]"
IDS_PER_MESSAGE: Final = 100
MESSAGES_KEPT: Final = 200
"""Per project: about the last 20,000 traces, 1 MB."""
_KEPT_S: Final = 24 * 3600
_AT_ONCE: Final = 20
"""Messages per read."""
_BLOCK_S: Final = 0.5
"""Seconds that one read blocks; short, because connections may have a short timeout."""


class Position(NamedTuple):
    """A place in the order of all messages of a project: Redis' milliseconds, and a number within one of them."""

    ms: int
    number: int

    @classmethod
    def parse(cls, text: str) -> Position:
        """The position that a text such as `1764493764000-0` spells; raises InvalidRequest."""
        if not (match := re.fullmatch(r"([0-9]{1,19})-([0-9]{1,19})", text)):
            raise InvalidRequest("The position to go on after must be the id of a live event.")
        return cls(int(match[1]), int(match[2]))

    def __str__(self) -> str:
        return f"{self.ms}-{self.number}"


@dataclass(frozen=True, slots=True)
class Message:
    """Traces that became readable together."""

    position: Position
    trace_ids: bytes = NOTHING
    """A JSON list of trace ids."""
    is_gap: bool = False
    """Whether earlier messages that the reader wanted are no longer kept."""


class Live:
    """One stream per project, which the worker writes and every web process reads."""

    def __init__(self, client: Redis) -> None:
        self._redis = client
        self._publish = Script(client, "publish")

    async def publish(self, project_id: str, trace_ids: Sequence[str]) -> None:
        """Publish that these traces have changed; raises StoreUnavailable."""
        groups = [trace_ids[start : start + IDS_PER_MESSAGE] for start in range(0, len(trace_ids), IDS_PER_MESSAGE)]
        if groups:
            with translated_errors():
                await self._add(project_id, [msgspec.json.encode(list(group)) for group in groups])

    async def messages(self, project_id: str, *, silence_s: float) -> AsyncGenerator[Message | None, None]:
        """Messages as they come, and None after each `silence_s` seconds without one.

        The first message has no ids: all later messages follow. Raises StoreUnavailable when Redis goes away.
        """
        stream = _stream(project_id)
        with translated_errors():
            last: Any = await self._redis.xrevrange(stream, count=1)
            position = _position(last[0][0] if last else await self._add(project_id, [NOTHING]))
            yield Message(position)
            heard_at = time.monotonic()
            while True:
                answer: Any = await self._redis.xread({stream: str(position)}, _AT_ONCE, int(_BLOCK_S * 1000))
                for id, fields in answer[0][1] if answer else ():
                    position = _position(id)
                    yield Message(position, fields[b"traces"])
                if answer or time.monotonic() - heard_at >= silence_s:
                    heard_at = time.monotonic()
                    if not answer:
                        yield None

    async def since(self, project_id: str, after: Position) -> AsyncGenerator[Message, None]:
        """All messages after a position up to now; raises PositionForgotten when some are no longer kept."""
        stream = _stream(project_id)
        with translated_errors():
            while True:
                entries: Any = await self._redis.xrange(stream, f"({after}", count=_AT_ONCE)
                first: Any = await self._redis.xrange(stream, count=1)
                last: Any = await self._redis.xrevrange(stream, count=1)
                if not (first and _position(first[0][0]) <= after <= _position(last[0][0])):
                    raise PositionForgotten("What was told since then is no longer kept.")
                for id, fields in entries:
                    after = _position(id)
                    yield Message(after, fields[b"traces"])
                if len(entries) < _AT_ONCE:
                    return

    async def _add(self, project_id: str, lists: Sequence[bytes]) -> bytes:
        position: bytes = await self._publish([_stream(project_id)], [_KEPT_S, MESSAGES_KEPT, *lists])
        return position


def _stream(project_id: str) -> str:
    return key("arrivals", project_id)


def _position(id: bytes) -> Position:
    return Position.parse(id.decode())
