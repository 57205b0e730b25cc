"""How long deleting many traces takes, what lists take meanwhile, and what it costs those who send.

`python -m tests.benchmarks.deletion --traces 1000000 --delete 100000` seeds an appliance of its own (or takes that of
`--data-dir`), deletes the oldest traces by one filter, and reads a list in turns with `SELECT 1` until the rows are
gone and the disk space is given back. With `--send N`, spans of N traces are sent before the deletion and once more
beside it; the rate is that of what can be read.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import time
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime

import httpx

from appliance.storage.clickhouse.client import ClickHouse
from appliance.storage.clickhouse.traces.aggregate import count_pending
from tests.acceptance.appliance_process import new_appliance
from tests.acceptance.exporter import HEADERS, PATH
from tests.benchmarks.report import say
from tests.benchmarks.running import clickhouse_of, web_of
from tests.benchmarks.seed import fill
from tests.benchmarks.sending import login, send_all
from tests.benchmarks.spans import payloads
from tests.benchmarks.yardstick import select_1, times

PROJECT = "local-project"
ROUNDS = 40
WITHIN_S = 1800.0
START = """
SELECT toString(started) AS t FROM folded_traces FINAL WHERE project_id = {p:String}
ORDER BY started LIMIT 1 OFFSET {n:UInt64}
"""
LEFT = """
SELECT count() AS n FROM trace_parts
WHERE project_id = {p:String} AND timestamp < parseDateTime64BestEffort({t:String}, 6)
"""


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--traces", type=int, default=100_000)
    parser.add_argument("--delete", type=int, default=10_000)
    parser.add_argument("--send", type=int, default=0)
    parser.add_argument("--data-dir", help="of a running appliance that `tests.benchmarks.seed` filled")
    arguments = parser.parse_args(argv)
    with ExitStack() as stack:
        data_dir = arguments.data_dir
        if data_dir is None:
            appliance = stack.enter_context(new_appliance())
            appliance.up()
            data_dir = str(appliance.data_dir)
        asyncio.run(_measure(data_dir, arguments.data_dir is None, arguments))


async def _measure(data_dir: str, seeds: bool, arguments: argparse.Namespace) -> None:
    url, keys = web_of(data_dir)
    clickhouse = ClickHouse(clickhouse_of(data_dir))
    try:
        if seeds:
            await fill(clickhouse, PROJECT, traces=arguments.traces, days=30, seed="1")
        async with httpx.AsyncClient(base_url=url, auth=keys, timeout=120) as http:
            bench = Bench(clickhouse, http, url, keys)
            await bench.aggregated()
            rate = await bench.send(0, arguments.send)
            await bench.aggregated()
            await bench.delete(arguments.delete, rate, arguments.send)
    finally:
        await clickhouse.close()


class Bench:
    """Deletes, and looks meanwhile."""

    def __init__(self, clickhouse: ClickHouse, http: httpx.AsyncClient, url: str, keys: tuple[str, str]) -> None:
        self._clickhouse = clickhouse
        self._http = http
        self._url = url
        self._keys = keys

    async def delete(self, number: int, rate: float, traces: int) -> None:
        """Delete the oldest `number` traces while `traces` are sent; `rate` is what that took alone."""
        before = await self._total()
        settled = [await self._list() for _ in range(ROUNDS)]
        yardstick = statistics.median([await select_1(self._clickhouse) for _ in range(ROUNDS)])
        size = await self._bytes()
        cutoff = await self._start_of(number)
        condition = {"type": "datetime", "column": "timestamp", "operator": "<", "value": cutoff}
        began = time.monotonic()
        answer = await self._http.delete("/api/local/traces", params={"filter": json.dumps([condition])})
        assert answer.status_code == 200, answer.text
        deleted = answer.json()["traces"]
        left = await self._total()
        hidden_s = time.monotonic() - began
        assert left == before - deleted and abs(deleted - number) <= 1, f"{deleted:,} of {number:,} are hidden"
        sending = asyncio.create_task(self.send(traces, traces))
        during = []
        while await self._jobs():
            during.append(await self._list())
            assert time.monotonic() - began < WITHIN_S, "the rows are still there"
        gone_s = time.monotonic() - began
        beside = await sending
        await self._assert_gone(cutoff)
        freed = size - await self._bytes()
        share = deleted / before
        say(f"{deleted:,} of {before:,} traces: hidden after", f"{hidden_s:.2f} s", "1 s")
        say("rows gone and disk space given back after", f"{gone_s:.0f} s", "180 s")
        say("disk space given back", f"{freed / 1e6:,.0f} MB of {size / 1e6:,.0f}, {share:.0%} of the traces")
        base, slow = statistics.median(settled), statistics.median(during)
        say("list meanwhile, against before", f"{base:.0f} ms, then {times(slow, base)}", "1.5 times")
        say("`SELECT 1`", f"{yardstick:.1f} ms")
        if traces:
            say(
                "spans/s beside the jobs, against without", f"{beside:,.0f} of {rate:,.0f}: {beside / rate:.0%}", "85 %"
            )

    async def send(self, first: int, traces: int) -> float:
        """Spans per second until all can be read; 0 without traces."""
        if not traces:
            return 0.0
        made = list(payloads(traces, first=first, convention="langfuse", now_ns=time.time_ns()))
        spans = sum(each.spans for each in made)
        count = await self._observations()
        began = time.monotonic()
        await send_all(f"{self._url}{PATH}", [each.body for each in made], HEADERS | login(self._keys))
        while await self._observations() < count + spans:
            assert time.monotonic() - began < WITHIN_S, "what was sent cannot be read"
            await asyncio.sleep(0.05)
        return spans / (time.monotonic() - began)

    async def aggregated(self) -> None:
        """Wait until no trace is pending, so that lists are at their quickest."""
        while await count_pending(self._clickhouse):
            await asyncio.sleep(1)

    async def _list(self) -> float:
        start = time.perf_counter()
        answer = await self._http.get("/api/public/traces", params={"limit": 50})
        milliseconds = (time.perf_counter() - start) * 1000
        assert answer.status_code == 200 and len(answer.json()["data"]) == 50, answer.text[:300]
        return milliseconds

    async def _total(self) -> int:
        answer = await self._http.get("/api/public/traces", params={"limit": 1, "fields": "core"})
        return int(answer.json()["meta"]["totalItems"])

    async def _jobs(self) -> Sequence[object]:
        answer = await self._http.get("/api/local/jobs", params={"state": "waiting,running,failed"})
        jobs = answer.json()["data"]
        assert not any(job["state"] == "failed" for job in jobs), jobs
        return [job for job in jobs if job["kind"] in ("purge_deleted", "reclaim_disk")]

    async def _start_of(self, number: int) -> str:
        rows: list[dict[str, str]] = await self._clickhouse.rows(START, {"p": PROJECT, "n": number}, dict)
        moment = datetime.fromisoformat(rows[0]["t"]).replace(tzinfo=UTC)
        return moment.isoformat(timespec="microseconds")

    async def _assert_gone(self, cutoff: str) -> None:
        rows: list[dict[str, int]] = await self._clickhouse.rows(LEFT, {"p": PROJECT, "t": cutoff}, dict)
        assert rows[0]["n"] == 0, f"{rows[0]['n']} parts of deleted traces are still there"

    async def _observations(self) -> int:
        sql = "SELECT count() AS n FROM observations_list WHERE project_id = {p:String}"
        rows: list[dict[str, int]] = await self._clickhouse.rows(sql, {"p": PROJECT}, dict)
        return rows[0]["n"]

    async def _bytes(self) -> int:
        sql = "SELECT sum(bytes_on_disk) AS n FROM system.parts WHERE database = currentDatabase() AND active"
        rows: list[dict[str, int]] = await self._clickhouse.rows(sql, {}, dict)
        return rows[0]["n"]


if __name__ == "__main__":
    main()
