"""Measure reads of data that `tests.benchmarks.seed` made, one client, by the HTTP endpoints, beside `SELECT 1`.

`python -m tests.benchmarks.reads --data-dir DIR` prints a Markdown table; every figure is made of many runs with
different parameters, and every answer is looked at: a read of nothing is no figure. The project must hold what the seed
made, with a trace of 5,000 observations (`--large 5000`).
"""

from __future__ import annotations

import argparse
import asyncio
import time

import httpx

from appliance.storage.clickhouse.client import ClickHouse
from tests.benchmarks.report import percentile
from tests.benchmarks.running import clickhouse_of, web_of
from tests.benchmarks.seeded import Read, Seeded, reads
from tests.benchmarks.yardstick import select_1, times


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-dir", required=True, help="of a running appliance that was seeded")
    parser.add_argument("--project", default="local-project", help="which the appliance's key opens")
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--only", default="", help="part of the names of the reads to run")
    parser.add_argument("--seed", default="1", help="the seed of the data")
    asyncio.run(_run(parser.parse_args()))


async def _run(arguments: argparse.Namespace) -> None:
    address, keys = web_of(arguments.data_dir)
    clickhouse = ClickHouse(clickhouse_of(arguments.data_dir))
    try:
        async with httpx.AsyncClient(base_url=address, auth=keys, timeout=60) as http:
            seeded = await Seeded.look(clickhouse, http, arguments.project, arguments.seed, arguments.runs)
            print("| Read | p50 | p95 | Goal | SELECT 1, p50 | p50 to it |\n| --- | --- | --- | --- | --- | --- |")
            for read in reads(seeded):
                if arguments.only in read.name:
                    figures = await _measured(http, clickhouse, read, arguments.runs)
                    print(f"| {read.name} | {figures} |", flush=True)
    finally:
        await clickhouse.close()


async def _measured(http: httpx.AsyncClient, clickhouse: ClickHouse, read: Read, runs: int) -> str:
    took, beside = [], []
    for run in range(runs):
        took.append(await timed(http, read, run))
        beside.append(await select_1(clickhouse))
    median, least = percentile(took, 0.5), percentile(beside, 0.5)
    ratio = times(median, least) + (f" (goal {read.goal_times})" if read.goal_times else "")
    return f"{median:.0f} ms | {percentile(took, 0.95):.0f} ms | {read.goal_ms} ms | {least:.1f} ms | {ratio}"


async def timed(http: httpx.AsyncClient, read: Read, run: int) -> float:
    """Milliseconds of one run; raises AssertionError when the answer is not what the seed made."""
    path, params = read.request(run)
    start = time.perf_counter()
    answer = await http.get(path, params=params)
    milliseconds = (time.perf_counter() - start) * 1000
    assert answer.status_code == 200, f"{read.name}: {answer.status_code} {answer.text[:300]}"
    try:
        read.check(answer.json(), run)
    except AssertionError as error:
        raise AssertionError(f"{read.name}, {params}: {error}") from error
    return milliseconds


if __name__ == "__main__":
    main()
