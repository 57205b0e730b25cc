"""In which order rows of one batch reach their tables."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from appliance.errors import StoreUnavailable, Undecodable
from appliance.model.dirty_traces import DirtyTrace, dirty_traces_of
from appliance.model.observations import Observation
from appliance.model.traces import TracePart
from appliance.storage.clickhouse import writer
from appliance.storage.clickhouse.writer import Writer

CONTENTS = {"observations", "observations_list", "touched_traces"}


class Recorder:
    """A ClickHouse that notes when inserts begin and end, and fails those it is told to."""

    def __init__(self, **failures: Exception) -> None:
        self.noted: list[tuple[str, str]] = []
        self._failures = failures

    async def insert(self, table: str, block: bytes) -> None:
        self.noted.append(("begins", table))
        await asyncio.sleep(0)
        if table in self._failures:
            raise self._failures[table]
        await asyncio.sleep(0)
        self.noted.append(("ends", table))


def observation(trace_id: str = "t", start_time: int = 5) -> Observation:
    return Observation(
        project_id="p", trace_id=trace_id, id="o", start_time=start_time, event_ts=1, created_at=1, updated_at=1
    )


def part(timestamp: int = 5) -> TracePart:
    return TracePart(project_id="p", id="t", part_id="r:o", timestamp=timestamp, order_ts=5, event_ts=1, created_at=1)


async def write(clickhouse: Any) -> None:
    await Writer(clickhouse).write([observation()], parts=[part()])


async def test_contents_are_written_side_by_side_and_parts_when_all_of_them_are_there() -> None:
    recorder = Recorder()
    await write(recorder)
    assert set(recorder.noted[:3]) == {("begins", table) for table in CONTENTS}
    assert {table for _, table in recorder.noted[3:6]} == CONTENTS
    assert recorder.noted[6:] == [("begins", "trace_parts"), ("ends", "trace_parts")]


async def test_rows_that_appear_long_after_their_touch_are_touched_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "DIRTY_FOR_S", -1.0)
    recorder = Recorder()
    await write(recorder)
    assert recorder.noted[-3:] == [
        ("ends", "trace_parts"),
        ("begins", "touched_traces"),
        ("ends", "touched_traces"),
    ]


async def test_a_failure_is_raised_when_nothing_goes_on_any_more() -> None:
    recorder = Recorder(observations=StoreUnavailable("away"), touched_traces=Undecodable("odd"))
    with pytest.raises(StoreUnavailable):
        await write(recorder)
    assert ("ends", "observations_list") in recorder.noted
    assert ("begins", "trace_parts") not in recorder.noted


def test_a_trace_is_touched_once_from_its_first_to_its_last_row() -> None:
    rows = [observation(start_time=9), observation("", 1), observation(start_time=7), observation("u", 3)]
    assert dirty_traces_of(rows, [part(2)]) == [DirtyTrace("p", "t", 2, 9), DirtyTrace("p", "u", 3, 3)]
