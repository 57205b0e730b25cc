"""The batch ingestion API, and scores sent one by one or many at once."""

from __future__ import annotations

from typing import Any

import msgspec


class IngestionBatch(msgspec.Struct, kw_only=True):
    """Events of older SDKs."""

    batch: list[Any]
    metadata: Any = None


class EventAccepted(msgspec.Struct, kw_only=True):
    """An event that is stored durably."""

    id: str
    status: int = 201


class EventRefused(msgspec.Struct, kw_only=True):
    """An event that is not valid."""

    id: str
    status: int
    message: str
    error: str


class BatchOutcome(msgspec.Struct, kw_only=True):
    """The outcome of each event of a batch."""

    successes: list[EventAccepted]
    errors: list[EventRefused]


class CreatedObject(msgspec.Struct, kw_only=True):
    """The id of an object that is stored durably."""

    id: str


class ScoreRefused(msgspec.Struct, kw_only=True):
    """A score that is not valid."""

    message: str


class ScoresOutcome(msgspec.Struct, kw_only=True):
    """The outcome of many scores of which some were refused."""

    accepted: int
    rejected: int
    errors: list[ScoreRefused]
