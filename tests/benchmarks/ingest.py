"""Measure how fast spans are accepted and readable, and what reads and memory come to meanwhile.

`python -m tests.benchmarks.ingest --traces 200000` shows for every 10,000 traces whether the rate stays the same as the
tables grow; `--spans-per-s 8000` sends steadily instead of as fast as it can. Four exporters send requests of 512 spans
(`spans`), gzip; a reader asks for the list of traces four times a second; an insert inside the engine is the yardstick.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import aiohttp
import psutil

from appliance.storage.clickhouse.client import ClickHouse
from tests.acceptance.appliance_process import Appliance, new_appliance
from tests.acceptance.exporter import HEADERS, PATH
from tests.benchmarks.report import cpu_s, percentile, processes_of, rss_mb, say
from tests.benchmarks.running import clickhouse_of, require_readable
from tests.benchmarks.sending import login, send_all
from tests.benchmarks.spans import Payload, payloads
from tests.benchmarks.yardstick import engine_rate, times

TRACES_PER_PIECE = 10_000
SERVICES = ("web", "worker", "clickhouse")
_COUNT = "SELECT uniqExact(trace_id, id) AS spans FROM observations"
_WATCH_S = 0.25


@dataclass(slots=True)
class Watch:
    """What was seen beside the load."""

    reads: list[float] = field(default_factory=list)
    """Seconds of each read of the list of traces."""
    rows: int = 0
    """Of the last of these reads."""
    memory: dict[str, list[float]] = field(default_factory=dict)
    """Megabytes by service, one for each look."""

    def peak(self, *services: str) -> float:
        """The most that these services together took at one time, in megabytes."""
        looks = zip(*(self.memory[name] for name in services), strict=True)
        return max((sum(values) for values in looks), default=0.0)


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--traces", type=int, default=10_000)
    parser.add_argument("--concurrency", type=int, default=4)
    parser.add_argument("--spans-per-s", type=float, default=math.inf)
    arguments = parser.parse_args(argv)
    with new_appliance() as appliance:
        appliance.up()
        asyncio.run(_measure(appliance, arguments.traces, arguments.concurrency, arguments.spans_per_s))


async def _measure(appliance: Appliance, traces: int, concurrency: int, spans_per_s: float) -> None:
    clickhouse = ClickHouse(clickhouse_of(str(appliance.data_dir)))
    watch = Watch()
    processes = processes_of(appliance, *SERVICES)
    busy = {name: cpu_s(found) for name, found in processes.items()}
    total, began = 0, time.perf_counter()
    try:
        for first in range(0, traces, TRACES_PER_PIECE):
            piece = min(TRACES_PER_PIECE, traces - first)
            made = list(payloads(piece, first=first, convention="langfuse", now_ns=time.time_ns()))
            say(
                f"traces {first:,} to {first + piece:,}: accepted; readable; request p50, p99; repeated",
                await _measure_piece(appliance, clickhouse, watch, processes, made, concurrency, spans_per_s),
                "readable 8,000 spans/s",
            )
            total += sum(payload.spans for payload in made)
        readable = time.perf_counter() - began
        with appliance.http() as http:
            require_readable(http, traces=traces, observations=total)
        engine = await engine_rate(clickhouse)
    finally:
        await clickhouse.close()
    assert watch.rows, "every list of traces that was read during the load was empty"
    rate = total / readable
    say("spans inserted inside the engine, right after", f"{engine:,.0f} spans/s")
    say("all of the load, accepted and readable, to that", f"{rate:,.0f} spans/s, {times(rate, engine)}", "0.5 times")
    for name, found in processes.items():
        say(f"processor time of {name}", f"{1e6 * (cpu_s(found) - busy[name]) / total:.0f} µs a span")
    say("trace list read during the load, p95", f"{1000 * percentile(watch.reads, 0.95):.0f} ms", "300 ms")
    say("memory of web and worker during the load", f"{watch.peak('web', 'worker'):.0f} MB", "500 MB")
    say("memory of ClickHouse during the load", f"{watch.peak('clickhouse'):.0f} MB")


async def _measure_piece(
    appliance: Appliance,
    clickhouse: ClickHouse,
    watch: Watch,
    processes: dict[str, list[psutil.Process]],
    made: Sequence[Payload],
    concurrency: int,
    spans_per_s: float,
) -> str:
    spans = sum(payload.spans for payload in made)
    before = await _count(clickhouse)
    watching = asyncio.create_task(_watch(appliance, processes, watch))
    start = time.perf_counter()
    sent = await send_all(
        appliance.url + PATH,
        [payload.body for payload in made],
        HEADERS | login(appliance.keys),
        concurrency=concurrency,
        requests_per_s=spans_per_s * len(made) / spans,
    )
    accepted = time.perf_counter() - start
    while await _count(clickhouse) < before + spans:
        await asyncio.sleep(0.1)
    readable = time.perf_counter() - start
    watching.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await watching
    return (
        f"{spans / accepted:,.0f}; {spans / readable:,.0f} spans/s; {1000 * percentile(sent.latencies, 0.5):.0f}, "
        f"{1000 * percentile(sent.latencies, 0.99):.0f} ms; {sent.retries}"
    )


async def _watch(appliance: Appliance, processes: dict[str, list[psutil.Process]], watch: Watch) -> None:
    async with aiohttp.ClientSession(headers=login(appliance.keys)) as http:
        while True:
            start = time.perf_counter()
            async with http.get(f"{appliance.url}/api/public/traces?limit=50") as answer:
                body = await answer.read()
            watch.reads.append(time.perf_counter() - start)
            assert answer.status == 200, f"a read failed under load: {answer.status}"
            watch.rows = len(json.loads(body)["data"])
            for name, found in processes.items():
                watch.memory.setdefault(name, []).append(rss_mb(found))
            await asyncio.sleep(_WATCH_S)


async def _count(clickhouse: ClickHouse) -> int:
    found: list[dict[str, int]] = await clickhouse.rows(_COUNT, {}, dict)
    return found[0]["spans"]


if __name__ == "__main__":
    main()
