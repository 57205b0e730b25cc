"""What the worker needs of queue and stores, so that tests can put fakes in their place."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from appliance.ingestion.process import Batch
from appliance.model.media import Content, MediaUse
from appliance.model.observations import Observation
from appliance.model.own_totals import NestedStep
from appliance.model.patches import Patch, PatchSet
from appliance.model.pricing import Pricing
from appliance.model.queue import Delivery, Entry
from appliance.model.score_configs import ScoreConfig
from appliance.model.scores import Score
from appliance.model.traces import TracePart

RowKey = tuple[str, str]
"""Project id and id."""


class Stream(Protocol):
    """The queue of entries; `storage.redis.ingest_stream.IngestStream` explains each."""

    async def read(self, consumer: str, count: int, block_ms: int) -> list[Delivery]: ...
    async def read_pending(self, consumer: str, count: int, after: str) -> list[Delivery]: ...
    async def claim_stale(self, consumer: str, min_idle_ms: int) -> list[Delivery]: ...
    async def fetch(self, delivery: Delivery, consumer: str) -> Delivery | None: ...
    async def keep(self, consumer: str, attempts: Mapping[str, int]) -> None: ...
    async def ack(self, deliveries: Sequence[Delivery], refused: Mapping[str, int] | None = None) -> None: ...
    async def dead_letter(self, delivery: Delivery, error: str) -> None: ...
    async def dead_letter_part(self, delivery: Delivery, number: int, part: Entry, error: str) -> None: ...


class LiveMessages(Protocol):
    """Publishes live events; `storage.redis.live.Live` explains it."""

    async def publish(self, project_id: str, trace_ids: Sequence[str]) -> None: ...


class WorkerHeartbeats(Protocol):
    """Heartbeats of workers; `storage.redis.heartbeats.Heartbeats` explains both methods."""

    async def beat(self, worker: str, state: dict[str, object]) -> None: ...
    async def stop(self, worker: str) -> None: ...


class PatchStore(Protocol):
    """Recent patches of entities; `storage.redis.patches.Patches` explains each."""

    async def suit_memory(self) -> None: ...
    async def add(self, items: Sequence[Patch]) -> list[PatchSet]: ...
    async def condense(self, known: PatchSet, left: Mapping[bytes, bytes]) -> None: ...


class Lookups(Protocol):
    """Lookups in Postgres; `worker.lookups.PostgresLookups` explains each."""

    @property
    def pricing(self) -> Pricing: ...
    async def load(self) -> None: ...
    async def refresh(self, accepted_us: int) -> None: ...
    async def answers(self) -> None: ...
    async def prompt_ids(self, keys: Collection[tuple[str, str, int]]) -> dict[tuple[str, str, int], str]: ...
    async def score_configs(self, keys: Collection[RowKey]) -> dict[RowKey, ScoreConfig]: ...


class StoredRows(Protocol):
    """The rows of single entities; `storage.clickhouse.stored.Stored` explains each."""

    async def observations(self, wanted: Mapping[RowKey, int | None]) -> dict[RowKey, Observation]: ...
    async def scores(self, keys: Iterable[RowKey]) -> dict[RowKey, Score]: ...
    async def steps(self, wanted: Mapping[RowKey, tuple[int, int]]) -> dict[RowKey, list[NestedStep]]: ...


class RowWriter(Protocol):
    """Stores rows; `storage.clickhouse.writer.Writer` explains it."""

    async def write(
        self,
        observations: Sequence[Observation] = (),
        scores: Sequence[Score] = (),
        parts: Sequence[TracePart] = (),
    ) -> None: ...


class MediaStore(Protocol):
    """Keeps files; `worker.media.MediaKeeper` explains it."""

    async def keep(self, contents: Mapping[RowKey, Content], uses: Mapping[str, Collection[MediaUse]]) -> None: ...


@dataclass(frozen=True, slots=True)
class Written:
    """The result of writing a batch."""

    traces: dict[str, list[str]]
    """Ids of the traces that changed, by project."""
    refused: dict[str, int]
    """Number of scores that break their config, by the id of the entry they came with."""


class BatchSink(Protocol):
    """Writes batches; `worker.sink.Sink` explains it."""

    async def write(self, batch: Batch) -> Written: ...
