"""What lists and metrics read of a trace, aggregated or not yet, is what `aggregate_parts` and its observations say."""

from __future__ import annotations

import random
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from msgspec.structs import asdict, replace

from appliance.errors import StoreUnavailable
from appliance.model.observations import Observation
from appliance.model.traces import APP_ROOT_WEIGHT, EVENT_WEIGHT, ROOT_WEIGHT, TracePart, aggregate_parts
from appliance.storage.clickhouse.traces import aggregate
from appliance.storage.clickhouse.traces.aggregate import aggregate_round, count_pending, forget_dirty_traces
from appliance.storage.clickhouse.traces.all import read_pending_traces
from appliance.storage.clickhouse.where import Binder
from appliance.storage.clickhouse.writer import Writer
from tests.integration.read.conftest import NOW, SECOND, Project

TRACES = 25


class RemovedPart(TracePart, kw_only=True):
    """A row that takes a part away."""

    is_deleted: int = 1


class World:
    """Rows that are written in any order and more than once, and what they come to."""

    def __init__(self, project_id: str, seed: int) -> None:
        self.random = random.Random(seed)
        self.project_id = project_id
        self.parts: dict[tuple[str, str], TracePart] = {}
        self.observations: dict[tuple[str, str], Observation] = {}
        self.version = NOW

    def maybe(self, value: Any, likelihood: float = 0.4) -> Any:
        return value if self.random.random() < likelihood else None

    def some_part(self, trace_id: str) -> str:
        """The id of what one of the parts tells of, if there are any."""
        ids = [part_id.partition(":")[2] for of, part_id in self.parts if of == trace_id]
        return self.random.choice([*ids, "unknown"])

    def part(self, trace_id: str, number: int) -> TracePart:
        choose = self.random.choice
        at = NOW + self.random.randrange(-3, 50) * SECOND
        erased = [name for name in ("name", "user_id", "session_id", "public", "metadata") if self.maybe(True, 0.1)]
        name = self.maybe(choose("abc")) if "name" not in erased else None
        weight = choose([0, 0, EVENT_WEIGHT, ROOT_WEIGHT - at, APP_ROOT_WEIGHT - at, -at])
        return TracePart(
            project_id=self.project_id,
            id=trace_id,
            part_id=f"{choose(['o:', 'r:', 's:', 'u:'])}{number}",
            timestamp=at,
            order_ts=at + self.random.randrange(3) * SECOND,
            event_ts=self.version,
            created_at=at,
            name=name,
            name_rank=choose([1, 2]) if name else 0,
            user_id=self.maybe(choose("uvw")) if "user_id" not in erased else None,
            session_id=self.maybe("s") if "session_id" not in erased else None,
            release=self.maybe(choose("12")),
            weight=weight,
            parent_id=self.some_part(trace_id) if weight < 0 else "",
            environment=choose(["default", "prod", "dev"]),
            tags=sorted({choose("xyz") for _ in range(self.random.randrange(3))}),
            public=self.maybe(choose([True, False])) if "public" not in erased else None,
            bookmarked=self.maybe(choose([True, False]), 0.2),
            metadata={choose("kl"): choose("12")} if self.maybe(True) and "metadata" not in erased else {},
            nulls=erased,
        )

    def observation(self, trace_id: str, number: int) -> Observation:
        choose = self.random.choice
        # Updates never move an observation to another minute: the writer takes the old row away then.
        start = NOW + number * 60 * SECOND + self.random.randrange(9) * SECOND
        tokens = self.random.randrange(100)
        return Observation(
            project_id=self.project_id,
            trace_id=trace_id,
            id=f"{trace_id}-{number}",
            start_time=start,
            end_time=self.maybe(start + self.random.randrange(9) * SECOND, 0.8),
            event_ts=self.version,
            created_at=start,
            updated_at=start,
            type=choose(["SPAN", "GENERATION"]),
            level=choose(["DEFAULT", "DEBUG", "WARNING", "ERROR"]),
            model=choose(["", "m1", "m2"]),
            usage_details={"input": tokens, "output": 2, "total": tokens + 2},
            cost_details={"input": 0.25, "output": 0.5},
            total_cost=self.maybe(0.75, 0.7),
        )

    def change(self) -> tuple[list[TracePart], list[Observation]]:
        """Some more rows: new ones, and new versions of old ones."""
        self.version += SECOND
        parts: list[TracePart] = []
        observations: list[Observation] = []
        for trace in self.random.sample(range(TRACES), 8):
            trace_id = f"t{trace}"
            for number in range(self.random.randrange(1, 4)):
                parts.append(self.part(trace_id, self.random.randrange(1000) * 10 + number))
            observations += [self.observation(trace_id, self.random.randrange(6)) for _ in range(3)]
        self.parts |= {(row.id, row.part_id): row for row in parts}
        for row in observations:
            self.observations[row.trace_id, row.id] = row
        return parts, [self.observations[key] for key in {(row.trace_id, row.id): None for row in observations}]

    def removal(self) -> tuple[list[RemovedPart], list[Observation]]:
        """Rows that take a whole trace away, and an observation of another."""
        self.version += SECOND
        trace_id = self.random.choice(sorted(self.parts))[0]
        parts = [key for key in self.parts if key[0] == trace_id]
        observations = {key for key in self.observations if key[0] == trace_id}
        observations.add(self.random.choice(sorted(self.observations)))
        return (
            [removed(self.parts.pop(key), self.version) for key in parts],
            [replace(self.observations.pop(key), event_ts=self.version, is_deleted=1) for key in observations],
        )

    def expected(self) -> dict[str, dict[str, Any]]:
        by_trace: dict[str, list[TracePart]] = {}
        for (trace_id, _), part in self.parts.items():
            by_trace.setdefault(trace_id, []).append(part)
        return {trace_id: self._row(trace_id, parts) for trace_id, parts in by_trace.items()}

    def _row(self, trace_id: str, parts: list[TracePart]) -> dict[str, Any]:
        trace = aggregate_parts(parts)
        rows = [row for (of, _), row in self.observations.items() if of == trace_id]
        levels = [row.level for row in rows]
        order = ("ERROR", "WARNING", "DEFAULT", "DEBUG")
        ends = [max(row.start_time, row.end_time or row.start_time) for row in rows]
        return {
            "id": trace_id,
            "started": trace.timestamp,
            "environment": trace.environment,
            "name": trace.name or "",
            "user_id": trace.user_id or "",
            "session_id": trace.session_id or "",
            "release": trace.release or "",
            "public": trace.public,
            "bookmarked": trace.bookmarked,
            "tags": trace.tags,
            "metadata": trace.metadata,
            "observation_count": len(rows),
            "error_count": levels.count("ERROR"),
            "top_level": next((level for level in order if level in levels), ""),
            "span_micros": max(ends) - min(row.start_time for row in rows) if rows else 0,
            "cost": float(sum(Decimal(str(row.total_cost or 0)) for row in rows)),
            "input_cost": 0.25 * len(rows),
            "total_tokens": sum(row.usage_details["total"] for row in rows),
            "models": sorted({row.model for row in rows} - {""}),
            "types": sorted({row.type for row in rows}),
        }


_READ = """
SELECT
    id, toUnixTimestamp64Micro(trace.started) AS started, environment, name, user_id, session_id, release, public,
    bookmarked, tags, metadata, observation_count, error_count, top_level, span_micros,
    toFloat64(trace.total_cost) AS cost, toFloat64(trace.input_cost) AS input_cost, total_tokens, models, types
FROM ({all}) AS trace
"""


async def found(project: Project) -> dict[str, dict[str, Any]]:
    pending = await read_pending_traces(project.clickhouse, project.id)
    binder = Binder({"project_id": project.id})
    sql = _READ.replace("{all}", pending.all_traces(binder))
    settings = {"prefer_column_name_to_alias": 1}
    rows: list[dict[str, Any]] = await project.clickhouse.rows(sql, binder.params, dict, settings=settings)
    assert len(rows) == len({row["id"] for row in rows}), "a trace is there twice"
    return {row["id"]: row for row in rows}


def removed(part: TracePart, version: int) -> RemovedPart:
    return RemovedPart(**(asdict(part) | {"event_ts": version}))


async def write(project: Project, parts: Sequence[TracePart], observations: Sequence[Observation]) -> None:
    await Writer(project.clickhouse).write(observations, parts=parts)


@pytest.mark.parametrize("seed", range(4))
async def test_folded_or_not_the_rows_are_those_of_the_model(project: Project, seed: int) -> None:
    world = World(project.id, seed)
    delivered: list[tuple[Sequence[TracePart], list[Observation]]] = []
    for step in range(8):
        rows = world.removal() if step in (4, 6) else world.change()
        delivered.append(rows)
        await write(project, *rows)
        if world.random.random() < 0.6:  # an exporter sends again what it is not sure of, much later
            await write(project, *world.random.choice(delivered))
        if world.random.random() < 0.5:
            await aggregate_round(project.clickhouse, quiet_s=0)
        assert await found(project) == world.expected()
    await aggregate_round(project.clickhouse, quiet_s=0)
    assert await found(project) == world.expected()


async def test_a_folded_trace_changes_with_what_comes_later(project: Project) -> None:
    await project.observation("t1", "o1", total_cost=0.5)
    await project.trace("t1", name="chat", user_id="alice")
    await aggregate_round(project.clickhouse, quiet_s=0)
    assert await project.ids("/traces", userId="alice") == ["t1"]
    await project.trace("t1", part="q", at=NOW - SECOND, environment="prod")
    await project.trace("t1", part="r", at=NOW + SECOND, user_id="bob")
    await project.observation("t1", "o2", total_cost=0.25)
    for _ in range(2):
        assert await project.ids("/traces", userId="alice") == []
        assert await project.ids("/traces", userId="bob", environment="prod") == ["t1"]
        [row] = (await found(project)).values()
        assert row["cost"] == 0.75 and row["started"] == NOW - SECOND
        await aggregate_round(project.clickhouse, quiet_s=0)


async def test_what_was_just_written_is_not_folded_yet(project: Project) -> None:
    await project.trace("t1", name="chat")
    await aggregate_round(project.clickhouse)
    count: list[dict[str, int]] = await project.clickhouse.rows(
        "SELECT count() AS n FROM folded_traces WHERE project_id = {project_id:String}",
        {"project_id": project.id},
        dict,
    )
    assert count == [{"n": 0}]
    assert await project.ids("/traces", name="chat") == ["t1"]


async def test_touches_of_today_are_kept(project: Project) -> None:
    await project.trace("t1")
    await aggregate_round(project.clickhouse, quiet_s=0)
    await forget_dirty_traces(project.clickhouse)
    kept: list[dict[str, int]] = await project.clickhouse.rows(
        "SELECT count() AS n FROM touched_traces WHERE project_id = {project_id:String}",
        {"project_id": project.id},
        dict,
    )
    assert kept == [{"n": 1}]


async def test_a_folded_trace_is_read_whole_when_more_of_it_lies_far_off(project: Project) -> None:
    day = 86_400 * SECOND
    await project.trace("t1", name="chat")
    await project.observation("t1", "o1", at=NOW + 7200 * SECOND)
    await aggregate_round(project.clickhouse, quiet_s=0)
    assert [row["id"] for row in (await project.get("/traces/t1"))["observations"]] == ["o1"]
    await project.observation("t1", "o2", at=NOW + 40 * day)
    await project.observation("t1", "o0", at=NOW - 40 * day)
    await project.trace("t1", part="q", at=NOW - 41 * day, user_id="bob")
    for _ in range(2):
        trace = await project.get("/traces/t1")
        assert [row["id"] for row in trace["observations"]] == ["o0", "o1", "o2"]
        assert (trace["name"], trace["userId"]) == ("chat", "bob")
        assert [row["id"] for row in await project.tree("t1")] == ["o0", "o1", "o2"]
        await aggregate_round(project.clickhouse, quiet_s=0)
    [listed] = (await project.get("/traces"))["data"]
    assert listed["observations"] == ["o0", "o1", "o2"] and listed["userId"] == "bob"


async def test_a_folded_trace_that_was_taken_away_is_not_found(project: Project) -> None:
    await project.trace("t1", name="chat")
    await aggregate_round(project.clickhouse, quiet_s=0)
    part = TracePart(
        project_id=project.id, id="t1", part_id="p", timestamp=NOW, order_ts=NOW, event_ts=NOW, created_at=NOW
    )
    await write(project, [removed(part, NOW + SECOND)], [])
    for _ in range(2):
        assert (await project.answer("/traces/t1")).status_code == 404
        assert await project.ids("/traces") == []
        await aggregate_round(project.clickhouse, quiet_s=0)


async def test_observations_that_were_folded_long_before_their_trace_was_told_count(project: Project) -> None:
    await project.observation("t1", "late", at=NOW + 3600 * SECOND, total_cost=0.5)
    await project.observation("t1", "early", at=NOW - 3600 * SECOND, total_cost=0.25)
    await aggregate_round(project.clickhouse, quiet_s=0)
    assert await found(project) == {}
    await project.trace("t1", name="chat")
    for _ in range(2):
        [row] = (await found(project)).values()
        assert (row["observation_count"], row["cost"]) == (2, 0.75)
        trace = await project.get("/traces/t1")
        assert [each["id"] for each in trace["observations"]] == ["early", "late"]
        await aggregate_round(project.clickhouse, quiet_s=0)


async def test_a_round_that_ends_after_it_was_given_up_hides_nothing(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    await project.trace("t1", name="early")
    given_up: list[int] = []

    async def never_answered(sql: str, params: dict[str, Any], **chosen: Any) -> None:
        if "INTO folded_traces" in sql:
            given_up.append(params["sequence"])
            raise StoreUnavailable("ClickHouse cannot be reached: TimeoutError.")
        await command(sql, params, **chosen)

    command = project.clickhouse.command
    with monkeypatch.context() as patched:
        patched.setattr(project.clickhouse, "command", never_answered)
        with pytest.raises(StoreUnavailable):
            await aggregate_round(project.clickhouse, quiet_s=0)
    await project.trace("t1", part="q", at=NOW + SECOND, name="newest")
    await aggregate_round(project.clickhouse, quiet_s=0)
    stale = {"project_id": project.id, "id": "t1", "started": NOW, "name": "early", "sequence": given_up[0]}
    await project.clickhouse.insert("folded_traces", msgspec.json.encode(stale))
    assert [row["name"] for row in (await found(project)).values()] == ["newest"]


async def test_what_was_touched_before_the_mark_because_the_clock_was_set_back_is_found(project: Project) -> None:
    await project.trace("t1", name="chat")
    await project.clickhouse.command(
        "INSERT INTO folded_until SELECT 'traces', max(sequence) + 1, now64(6, 'UTC') + INTERVAL 1 HOUR "
        "FROM folded_until"
    )
    await aggregate_round(project.clickhouse)
    assert list(await found(project)) == ["t1"]


async def test_a_round_takes_on_as_much_as_it_is_told(project: Project) -> None:
    await aggregate_round(project.clickhouse, quiet_s=0)
    for number in range(3):
        await project.trace(f"t{number}")
    assert [await aggregate_round(project.clickhouse, quiet_s=0, most=2) for _ in range(3)] == [2, 1, 0]
    assert len(await found(project)) == 3


async def is_all_folded(project: Project) -> bool:
    return (await read_pending_traces(project.clickhouse, project.id)).dirty_count == 0


async def test_much_is_folded_soon_and_again_when_there_is_time(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aggregate, "SOON_S", 0.0)
    await project.trace("t1", name="chat")
    while await aggregate_round(project.clickhouse, soon=True):
        pass
    assert await is_all_folded(project)
    # A row that shows too late after its touch, which only a round that is not in a hurry can see.
    late = TracePart(
        project_id=project.id, id="t1", part_id="q", timestamp=NOW, order_ts=NOW + SECOND, event_ts=NOW, created_at=NOW
    )
    late.name, late.name_rank = "late", 2
    await project.clickhouse.insert("trace_parts", msgspec.json.encode(late))
    await aggregate_round(project.clickhouse)
    assert await is_all_folded(project), "readers keep what is aggregated"
    assert [row["name"] for row in (await found(project)).values()] == ["chat"]
    while await aggregate_round(project.clickhouse, quiet_s=0):
        pass
    assert [row["name"] for row in (await found(project)).values()] == ["late"]


async def test_marks_of_the_first_version_are_understood(project: Project) -> None:
    await project.clickhouse.command("TRUNCATE TABLE folded_until")
    await project.clickhouse.command("INSERT INTO folded_until SELECT 'traces', 7, now64(6, 'UTC') - INTERVAL 1 MINUTE")
    await project.trace("t1", name="chat")
    assert list(await found(project)) == ["t1"]
    while await aggregate_round(project.clickhouse, quiet_s=0):
        pass
    assert await is_all_folded(project)
    assert [row["name"] for row in (await found(project)).values()] == ["chat"]


async def test_what_waits_is_counted_whoever_wrote_it(project: Project) -> None:
    while await aggregate_round(project.clickhouse, quiet_s=0):
        pass
    before = await count_pending(project.clickhouse)
    await project.trace("t1", name="chat")
    assert await count_pending(project.clickhouse) == before + 1
