"""Rows of lists are the same, whether the writer makes them or the generator of benchmarks inside ClickHouse."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import AsyncIterator

import pytest

from appliance.config import Settings
from appliance.model.observations import ListedObservation, Observation, listed
from appliance.storage.clickhouse.client import ClickHouse
from appliance.storage.clickhouse.migrations import migrate
from appliance.storage.clickhouse.stored import Stored
from appliance.storage.clickhouse.traces.aggregate import aggregate_round
from appliance.storage.clickhouse.writer import Writer
from tests.benchmarks.seed import add_large_trace, fill

_LISTED = """
SELECT * REPLACE (
    toUnixTimestamp64Micro(start_time) AS start_time, toUnixTimestamp64Micro(end_time) AS end_time,
    toUnixTimestamp64Micro(completion_start_time) AS completion_start_time,
    toUnixTimestamp64Micro(event_ts) AS event_ts,
    mapApply((k, v) -> (k, toFloat64(v)), cost_details) AS cost_details, toFloat64(total_cost) AS total_cost
)
FROM observations_list FINAL
ORDER BY id
"""
_FOLDED = "SELECT id, observation_count AS n FROM folded_traces FINAL ORDER BY id"


@pytest.fixture
async def empty(stores: Settings) -> AsyncIterator[ClickHouse]:
    settings = dataclasses.replace(stores.clickhouse, database=f"listed_{uuid.uuid4().hex}")
    await migrate(settings)
    clickhouse = await ClickHouse.connect(settings)
    yield clickhouse
    await clickhouse.command("DROP DATABASE {name:Identifier}", {"name": settings.database})
    await clickhouse.close()


async def rows_of_lists(clickhouse: ClickHouse) -> list[ListedObservation]:
    return await clickhouse.rows(_LISTED, {}, ListedObservation)


async def test_the_writer_cuts_what_lists_do_not_show(empty: ClickHouse) -> None:
    row = Observation(
        project_id="p",
        trace_id="t",
        id="o",
        start_time=1_700_000_000_000_001,
        end_time=1_700_000_000_000_002,
        event_ts=3,
        created_at=4,
        updated_at=5,
        type="GENERATION",
        name="answer",
        is_root=True,
        tags=["a", "b"],
        input="\U0001f642" * 300,
        output="x" * 200,
        metadata={"long": "ü" * 201, "short": "y"},
        usage_details={"input": 3},
        cost_details={"input": 0.25},
        total_cost=0.25,
        tool_definitions={"search": "{}"},
        tool_call_names=["search"],
        experiment={"id": "z" * 999},
    )
    await Writer(empty).write([row])
    [stored] = await rows_of_lists(empty)
    assert stored == listed(row)
    assert stored.input == "\U0001f642" * 200 and stored.output == "x" * 200
    assert stored.metadata == {"long": "ü" * 200, "short": "y"} and stored.tool_names == ["search"]
    assert await empty.rows("SELECT trace_id FROM touched_traces", {}, dict) == [{"trace_id": "t"}]


async def test_generated_rows_are_those_that_the_writer_makes(empty: ClickHouse) -> None:
    await fill(empty, "p", traces=20, days=1, seed="s")
    await add_large_trace(empty, "p", 30)
    made = await rows_of_lists(empty)
    wide = await Stored(empty).observations({("p", row.id): None for row in made})
    assert len(made) == 20 * 8 + 30
    assert made == [listed(wide["p", row.id]) for row in made]
    await aggregate_round(empty, quiet_s=0)
    aggregated: list[dict[str, int]] = await empty.rows(_FOLDED, {}, dict)
    assert [row["n"] for row in aggregated] == [8] * 20 + [30]
