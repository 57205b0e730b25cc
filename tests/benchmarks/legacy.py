"""Measure how many events per second the ingestion API of older SDKs accepts and makes readable.

Each generation is begun by one request and ended by the next one; a request has 100 events.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from appliance.storage.clickhouse.client import ClickHouse
from tests.acceptance.appliance_process import Appliance, new_appliance
from tests.acceptance.exporter import prose
from tests.benchmarks.report import cpu_s, percentile, processes_of, say
from tests.benchmarks.running import clickhouse_of, require_readable
from tests.benchmarks.sending import login, send_all
from tests.benchmarks.yardstick import engine_rate, times

PAIRS_PER_REQUEST = 50
_PATH = "/api/public/ingestion"
_ENDED = "SELECT count() AS ended FROM observations FINAL WHERE source = 'api' AND end_time IS NOT NULL"


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=150)
    parser.add_argument("--concurrency", type=int, default=4)
    arguments = parser.parse_args(argv)
    with new_appliance() as appliance:
        appliance.up()
        asyncio.run(_measure(appliance, arguments.requests, arguments.concurrency))


async def _measure(appliance: Appliance, requests: int, concurrency: int) -> None:
    clickhouse = ClickHouse(clickhouse_of(str(appliance.data_dir)))
    processes = processes_of(appliance, "web", "worker", "clickhouse", "redis")
    busy = {name: cpu_s(found) for name, found in processes.items()}
    ends = [[number - 1] if number else [] for number in range(requests)]
    ends[-1].append(requests - 1)
    bodies = [_request(number, ended) for number, ended in enumerate(ends)]
    events = requests * PAIRS_PER_REQUEST * 2
    start = time.perf_counter()
    headers = {"content-type": "application/json"} | login(appliance.keys)
    sent = await send_all(appliance.url + _PATH, bodies, headers, concurrency=concurrency)
    accepted = time.perf_counter() - start
    try:
        while (ended := await _ended(clickhouse)) < events // 2:
            await asyncio.sleep(0.5)
        readable = time.perf_counter() - start
        assert ended == events // 2, f"{ended:,} generations ended, not {events // 2:,}"
        with appliance.http() as http:
            require_readable(http, traces=await _traces(clickhouse), observations=events // 2)
        engine = await engine_rate(clickhouse)
    finally:
        await clickhouse.close()
    say("legacy events accepted", f"{events / accepted:,.0f}/s; p99 {1000 * percentile(sent.latencies, 0.99):.0f} ms")
    say("legacy events, create + update, accepted and readable", f"{events / readable:,.0f}/s", "3,000/s")
    say("events to spans inserted inside the engine, right after", times(events / readable, engine))
    for name, found in processes.items():
        say(f"processor time of {name}, legacy", f"{1e6 * (cpu_s(found) - busy[name]) / events:.0f} µs an event")


def _request(number: int, ends: Sequence[int]) -> bytes:
    """Begins some generations, and ends those that the request before this one began; the last ends its own."""
    now = datetime.now(UTC).isoformat()
    events = [_creation(f"{number}-{index}", now) for index in range(PAIRS_PER_REQUEST)]
    events += [_update(f"{ended}-{index}", now) for ended in ends for index in range(PAIRS_PER_REQUEST)]
    return json.dumps({"batch": events}).encode()


def _creation(name: str, now: str) -> dict[str, Any]:
    body: dict[str, Any] = {
        "id": f"o-{name}",
        "traceId": f"t-{name[:-1]}",
        "name": "answer",
        "startTime": now,
        "model": "gpt-4o",
    }
    body |= {"input": prose(name.encode(), 150), "metadata": {"tenant": "t1", "step": name}}
    return {"id": f"c-{name}", "timestamp": now, "type": "generation-create", "body": body}


def _update(name: str, now: str) -> dict[str, Any]:
    body: dict[str, Any] = {"id": f"o-{name}", "output": prose(name.encode(), 120), "endTime": now}
    body |= {"usage": {"input": 300, "output": 120, "unit": "TOKENS"}, "metadata": {"finished": True}}
    return {"id": f"u-{name}", "timestamp": now, "type": "generation-update", "body": body}


async def _traces(clickhouse: ClickHouse) -> int:
    found: list[dict[str, int]] = await clickhouse.rows("SELECT uniqExact(id) AS n FROM trace_parts FINAL", {}, dict)
    return found[0]["n"]


async def _ended(clickhouse: ClickHouse) -> int:
    found: list[dict[str, int]] = await clickhouse.rows(_ENDED, {}, dict)
    return found[0]["ended"]


if __name__ == "__main__":
    main()
