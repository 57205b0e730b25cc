"""Fills ClickHouse with realistic traces of eight observations, made inside the engine out of numbers alone.

`python -m tests.benchmarks.seed --data-dir DIR --traces 1000000`. Texts, models, tokens, users, sessions, tags and
errors are alike those of a service that answers questions, about 1.6 kB a span; the same seed makes the same traces.
Every tenth trace has a score, every thousandth the word `zqneedle` followed by the seed. On two cores it makes 24,000
spans a second, a million traces in six minutes.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from string import Template
from typing import Any, Final

from appliance.storage.clickhouse.client import ClickHouse
from tests.benchmarks.running import clickhouse_of

OBSERVATIONS_PER_TRACE: Final = 8
LARGE_TRACE: Final = "large-trace"
_TRACES_PER_INSERT: Final = 6_250
_DAY: Final = 86_400_000_000
_SETTINGS: Final[dict[str, Any]] = {
    "max_block_size": 8192,
    "min_insert_block_size_rows": 50_000,
    "min_insert_block_size_bytes": 0,
    "max_insert_threads": 2,
    "max_execution_time": 0,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-dir", help="of a running appliance; else the environment says where ClickHouse is")
    parser.add_argument("--project", default="local-project")
    parser.add_argument("--traces", type=int, default=100_000)
    parser.add_argument("--first", type=int, default=0, help="number of the first trace, to go on after a break")
    parser.add_argument("--days", type=float, default=30)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--large", type=int, default=0, help="also one trace of this many observations")
    arguments = parser.parse_args()
    asyncio.run(_run(arguments))


async def _run(arguments: argparse.Namespace) -> None:
    clickhouse = ClickHouse(clickhouse_of(arguments.data_dir))
    try:
        seconds = await fill(
            clickhouse,
            arguments.project,
            traces=arguments.traces,
            days=arguments.days,
            seed=arguments.seed,
            first=arguments.first,
        )
        spans = (arguments.traces - arguments.first) * OBSERVATIONS_PER_TRACE
        print(f"{spans:,} spans in {seconds:.0f} s, {spans / max(seconds, 0.001):,.0f} spans/s", file=sys.stderr)
        if arguments.large:
            await add_large_trace(clickhouse, arguments.project, arguments.large)
    finally:
        await clickhouse.close()


async def fill(
    clickhouse: ClickHouse, project_id: str, *, traces: int, days: float, seed: str, first: int = 0
) -> float:
    """Writes so many traces, spread over the last `days`, and returns the seconds that took; progress on stderr."""
    spread = int(days * _DAY)
    params: dict[str, Any] = {
        "project_id": project_id,
        "seed": seed,
        "total": traces,
        "spread_micros": spread,
        "first_micros": time.time_ns() // 1000 - spread - 60_000_000,
    }
    start = time.perf_counter()
    async with _filling_the_list(clickhouse):
        await clickhouse.command(_block("words"))
        for number in range(first, traces, _TRACES_PER_INSERT):
            params |= {"from": number, "count": min(_TRACES_PER_INSERT, traces - number)}
            for name in ("observations", "scores", "touches", "trace_parts"):
                await clickhouse.command(_block(name), params, settings=_SETTINGS)
            done = (number + params["count"] - first) * OBSERVATIONS_PER_TRACE
            rate = done / (time.perf_counter() - start)
            print(f"\r{done:,} spans, {rate:,.0f}/s", end="", file=sys.stderr, flush=True)
        await clickhouse.command(_block("drop_words"))
    print(file=sys.stderr)
    return time.perf_counter() - start


async def add_large_trace(clickhouse: ClickHouse, project_id: str, observations: int) -> None:
    """Writes the trace `large-trace`, of so many observations, an hour old."""
    params = {
        "project_id": project_id,
        "trace_id": LARGE_TRACE,
        "count": observations,
        "first_micros": time.time_ns() // 1000 - 3_600_000_000,
    }
    async with _filling_the_list(clickhouse):
        for name in ("large_observations", "large_touch", "large_part"):
            await clickhouse.command(_block(name), params)


@asynccontextmanager
async def _filling_the_list(clickhouse: ClickHouse) -> AsyncIterator[None]:
    """Inside the block, a view fills the table of lists, as the worker does for what it writes."""
    await clickhouse.command(_block("list_view"))
    try:
        yield
    finally:
        await clickhouse.command(_block("drop_list_view"))


def _block(name: str) -> str:
    return _blocks()[name]


@cache
def _blocks() -> dict[str, str]:
    text = Path(__file__).with_name("seed.sql").read_text()
    parts = re.split(r"^-- name: (\w+)\n", text, flags=re.MULTILINE)
    blocks = dict(zip(parts[1::2], parts[2::2], strict=True))
    return {name: Template(block).safe_substitute(blocks) for name, block in blocks.items()}


if __name__ == "__main__":
    main()
