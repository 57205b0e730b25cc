"""What the same machine does at the same time with the least that can be asked of it: figures are told beside it."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from typing import Final

from appliance.storage.clickhouse.client import ClickHouse
from tests.benchmarks.seed import OBSERVATIONS_PER_TRACE, fill

SELECT_1: Final = "SELECT 1 AS one"


async def select_1(clickhouse: ClickHouse) -> float:
    """Milliseconds of `SELECT 1` by the client and the connections that reads of web use."""
    start = time.perf_counter()
    rows: list[dict[str, int]] = await clickhouse.rows(SELECT_1, {}, dict)
    milliseconds = (time.perf_counter() - start) * 1000
    assert rows == [{"one": 1}], f"SELECT 1 answered {rows}"
    return milliseconds


async def engine_rate(clickhouse: ClickHouse, project_id: str = "yardstick", traces: int = 5_000) -> float:
    """Spans per second of an insert inside the engine, of about the same texts, into a project of its own."""
    seconds = await fill(clickhouse, project_id, traces=traces, days=1, seed=f"yardstick-{time.time_ns()}")
    return traces * OBSERVATIONS_PER_TRACE / seconds


def seconds_of(work: Callable[[], object], runs: int = 3) -> float:
    """Median seconds of some runs."""
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def times(figure: float, yardstick: float) -> str:
    """The ratio, such as `7.9 times`."""
    return f"{figure / yardstick:.1f} times"


def medians(values: Sequence[float], of: int) -> list[float]:
    """The medians of each `of` neighbours, or of all when there are fewer."""
    if len(values) <= of:
        return [statistics.median(values)]
    return [statistics.median(values[start : start + of]) for start in range(len(values) - of + 1)]
