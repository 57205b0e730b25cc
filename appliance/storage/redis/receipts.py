"""Counts per project of accepted requests and their outcomes, updated in the same step as the queue itself."""

from __future__ import annotations

from collections import defaultdict
from typing import Any, Final

from redis.asyncio import Redis

from appliance.model.receipts import Count, Receipts
from appliance.storage.redis.client import translated_errors
from appliance.storage.redis.keys import key

RECEIPTS: Final = key("receipts")
"""A hash of `<accepted|written|refused|dead|dropped>.<requests|items>:<project id>`."""


def accepted_fields(project_id: str) -> tuple[str, str]:
    """The two fields to increment when a request is accepted: requests and items."""
    return f"accepted.requests:{project_id}", f"accepted.items:{project_id}"


async def read_receipts(client: Redis) -> dict[str, Receipts]:
    """The receipts of every project, by its id; raises StoreUnavailable."""
    with translated_errors():
        fields: Any = await client.hgetall(RECEIPTS)
    return receipts_of(fields)


def receipts_of(fields: dict[bytes, bytes]) -> dict[str, Receipts]:
    """The receipts from a hash of counts; waiting items are those without another outcome."""
    counts: dict[str, dict[str, Any]] = defaultdict(lambda: defaultdict(Count))
    for field, value in fields.items():
        name, _, project_id = field.decode().partition(":")
        fate, _, unit = name.partition(".")
        setattr(counts[project_id][fate], unit, int(value))
    by_project: dict[str, Receipts] = {}
    for project_id, by_fate in counts.items():
        receipts = Receipts(**by_fate)
        ended = (receipts.written, receipts.refused, receipts.dead, receipts.dropped)
        receipts.waiting = Count(
            # Programs that write to the queue directly have outcomes that were never counted as accepted.
            requests=max(receipts.accepted.requests - sum(count.requests for count in ended), 0),
            items=max(receipts.accepted.items - sum(count.items for count in ended), 0),
        )
        by_project[project_id] = receipts
    return by_project
