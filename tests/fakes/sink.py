"""What a sink writes to and asks, in memory: tables, patches, what Postgres knows, files."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TypeVar

import msgspec

from appliance.errors import LookupUnavailable, StoreUnavailable
from appliance.model.media import Content, MediaUse
from appliance.model.observations import Observation
from appliance.model.own_totals import NestedStep, step_of
from appliance.model.patches import EntityKey, Patch, PatchSet
from appliance.model.pricing import Pricing
from appliance.model.score_configs import ScoreConfig
from appliance.model.scores import Score
from appliance.model.traces import TracePart
from appliance.worker.sink import Sink

MINUTE_US = 60_000_000
HOUR_US = 3_600_000_000
Row = Observation | Score | TracePart
Key = tuple[str, str]
PromptKey = tuple[str, str, int]
K = TypeVar("K")
R = TypeVar("R", Observation, Score, TracePart)


class FakeTables:
    """Behaves as `Stored` and `Writer` of `appliance.storage.clickhouse` do; replaced rows are gone at once."""

    def __init__(self) -> None:
        self.rows: dict[tuple[object, ...], Observation] = {}
        self.scored: dict[Key, Score] = {}
        self.parts: dict[tuple[object, ...], TracePart] = {}
        self.writes: list[list[str]] = []
        """Ids of the observations of each write, also of those that failed."""
        self.failing: list[Exception] = []
        """What writes raise, one after the other."""
        self.fault: Callable[[Row], Exception | None] = lambda row: None
        """What a write with such a row raises, always."""
        self.open = asyncio.Event()
        """Writes wait while it is not set."""
        self.open.set()

    async def observations(self, wanted: Mapping[Key, int | None]) -> dict[Key, Observation]:
        since = {True: min((each for each in wanted.values() if each is not None), default=0), False: 0}
        found: dict[Key, Observation] = {}
        for row in sorted(self.rows.values(), key=lambda row: row.event_ts):
            key = row.project_id, row.id
            if key in wanted and not row.is_deleted and row.start_time >= since[wanted[key] is not None]:
                found[key] = msgspec.structs.replace(row)
        return found

    async def scores(self, keys: Iterable[Key]) -> dict[Key, Score]:
        return {key: msgspec.structs.replace(self.scored[key]) for key in keys if key in self.scored}

    async def steps(self, wanted: Mapping[Key, tuple[int, int]]) -> dict[Key, list[NestedStep]]:
        newest: dict[tuple[str, str, str], Observation] = {}
        for row in sorted(self.rows.values(), key=lambda row: row.event_ts):
            newest[row.project_id, row.trace_id, row.id] = row
        found: dict[Key, list[NestedStep]] = {}
        for (project_id, trace_id, _), row in newest.items():
            since, until = wanted.get((project_id, trace_id), (1, 0))
            if since - HOUR_US <= row.start_time <= until + HOUR_US and not row.is_deleted:
                found.setdefault((project_id, trace_id), []).append(step_of(row))
        return found

    async def write(
        self,
        observations: Sequence[Observation] = (),
        scores: Sequence[Score] = (),
        parts: Sequence[TracePart] = (),
    ) -> None:
        self.writes.append([row.id for row in observations])
        await self.open.wait()
        if self.failing:
            raise self.failing.pop(0)
        rows: list[Row] = [*observations, *scores, *parts]
        for each in rows:
            if error := self.fault(each):
                raise error
        for row in observations:
            _put(self.rows, (row.project_id, row.start_time // MINUTE_US, row.trace_id, row.id), row)
        for score in scores:
            _put(self.scored, (score.project_id, score.id), score)
        for part in parts:
            _put(self.parts, (part.project_id, part.timestamp // MINUTE_US, part.id, part.part_id), part)

    @property
    def ids(self) -> list[str]:
        """Ids of the observations that are there, in the order of the alphabet."""
        return sorted(row.id for row in self.rows.values() if not row.is_deleted)

    @property
    def traces(self) -> set[str]:
        return {part.id for part in self.parts.values()}


def _put(table: dict[K, R], key: K, row: R) -> None:
    if key not in table or table[key].event_ts <= row.event_ts:
        table[key] = row


class FakePatches:
    """Behaves as `appliance.storage.redis.patches.Patches`; forgets nothing by itself."""

    def __init__(self) -> None:
        self.kept: dict[EntityKey, dict[bytes, bytes]] = {}
        self.failing: list[Exception] = []
        """What the next calls of `add` raise."""
        self._versions = itertools.count(1_900_000_000_000_000)

    async def suit_memory(self) -> None:
        pass

    async def add(self, items: Sequence[Patch]) -> list[PatchSet]:
        if self.failing:
            raise self.failing.pop(0)
        added: dict[EntityKey, set[bytes]] = {}
        for item in items:
            added.setdefault(item.key, set()).add(item.event_key)
            self.kept.setdefault(item.key, {})[item.event_key] = item.body
        version = next(self._versions)
        return [
            PatchSet(key, dict(self.kept[key]), version, self.kept[key].keys() <= events)
            for key, events in added.items()
        ]

    async def condense(self, known: PatchSet, left: Mapping[bytes, bytes]) -> None:
        kept = self.kept[known.key]
        for event_key in known.patches.keys() - left.keys():
            kept.pop(event_key, None)
        kept.update(left)


class FakeLookups:
    """Behaves as `appliance.worker.lookups.PostgresLookups`, and is away when told to."""

    def __init__(self) -> None:
        self.pricing = Pricing([], [])
        self.prompts: dict[PromptKey, str] = {}
        self.configs: dict[Key, ScoreConfig] = {}
        self.failing: list[Exception] = []
        """What the next calls of `load` raise."""
        self.refreshed: list[int] = []
        self._there = asyncio.Event()
        self._there.set()

    def go_away(self) -> None:
        self._there.clear()

    def come_back(self) -> None:
        self._there.set()

    async def load(self) -> None:
        if self.failing:
            raise self.failing.pop(0)

    async def refresh(self, accepted_us: int) -> None:
        self.refreshed.append(accepted_us)

    async def answers(self) -> None:
        await self._there.wait()

    async def prompt_ids(self, keys: Collection[PromptKey]) -> dict[PromptKey, str]:
        self._ask(keys)
        return {key: self.prompts[key] for key in keys if key in self.prompts}

    async def score_configs(self, keys: Collection[Key]) -> dict[Key, ScoreConfig]:
        self._ask(keys)
        return {key: self.configs[key] for key in keys if key in self.configs}

    def _ask(self, keys: Collection[object]) -> None:
        if keys and not self._there.is_set():
            raise LookupUnavailable("Postgres is away.")


class FakeMedia:
    """Behaves as `appliance.worker.media.MediaKeeper`."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        self.uses: set[MediaUse] = set()
        self.is_away = False

    async def keep(self, contents: Mapping[Key, Content], uses: Mapping[str, Collection[MediaUse]]) -> None:
        if self.is_away:
            raise StoreUnavailable("The bucket is away.")
        self.kept |= {media_id: content.data for (_, media_id), content in contents.items()}
        self.uses |= {use for each in uses.values() for use in each}


class MemorySink:
    """A sink over fakes: the fake of the sink that other parts of the worker are tested with."""

    def __init__(self) -> None:
        self.tables = FakeTables()
        self.patches = FakePatches()
        self.lookups = FakeLookups()
        self.media_store = FakeMedia()
        self.sink = Sink(self.tables, self.tables, self.patches, self.lookups, self.media_store)


def numeric_config(id: str, most: float) -> ScoreConfig:
    """A config of scores up to `most`, in project `p`."""
    at = datetime(2026, 1, 1, tzinfo=UTC)
    return ScoreConfig(
        id=id,
        project_id="p",
        name="quality",
        data_type="NUMERIC",
        is_archived=False,
        min_value=None,
        max_value=most,
        categories=None,
        description=None,
        created_at=at,
        updated_at=at,
    )
