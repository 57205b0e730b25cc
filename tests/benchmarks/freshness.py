"""Measure how long an accepted trace takes to be readable, with requests at a steady rate.

The time runs from the answer to the exporter's request until the first successful read of the trace by the API.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from concurrent.futures import ThreadPoolExecutor

import httpx

from appliance.storage.clickhouse.client import ClickHouse
from tests.acceptance.appliance_process import new_appliance
from tests.acceptance.exporter import SPANS_PER_TRACE, Request, make_request, send
from tests.benchmarks.report import percentile, say
from tests.benchmarks.running import clickhouse_of
from tests.benchmarks.yardstick import select_1, times

POLL_S = 0.03
GOALS = {10.0: {0.5: "0.2 s", 0.99: "1 s"}, 100.0: {0.5: "0.15 s", 0.99: "0.8 s"}}
"""By requests per second and share of the requests."""
READERS = 32
WATCHED_PER_S = 5
"""Requests that are waited for: looking must not become the load."""


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=40)
    parser.add_argument("--rates", type=float, nargs="+", default=list(GOALS), help="requests per second")
    arguments = parser.parse_args(argv)
    with new_appliance() as appliance:
        appliance.up()
        with appliance.http() as http:
            for rate in arguments.rates:
                delays = _measure(http, rate, arguments.seconds)
                for share in (0.5, 0.99, 1.0):
                    name = "longest" if share == 1.0 else f"p{share * 100:.0f}"
                    figure, goal = f"{percentile(delays, share):.3f} s", GOALS.get(rate, {}).get(share, "")
                    say(f"accepted to readable at {rate:.0f} requests/s, {name}", figure, goal)
                least = asyncio.run(_select_1(str(appliance.data_dir)))
                ratio = times(1000 * percentile(delays, 0.5), least)
                say(f"the median at {rate:.0f} requests/s to `SELECT 1` right after", f"{least:.1f} ms, {ratio}")


async def _select_1(data_dir: str) -> float:
    """Median milliseconds."""
    clickhouse = ClickHouse(clickhouse_of(data_dir))
    try:
        return percentile([await select_1(clickhouse) for _ in range(50)], 0.5)
    finally:
        await clickhouse.close()


def _measure(http: httpx.Client, rate: float, seconds: int) -> list[float]:
    """Seconds from the answer to the first successful read, of some of the requests."""
    every = max(1, round(rate / WATCHED_PER_S))
    start = time.perf_counter()
    waiting, sent = [], []
    with ThreadPoolExecutor(READERS) as pool:
        for number in range(round(rate * seconds)):
            request = make_request(f"fresh-{rate}", number, traces=1)
            time.sleep(max(0.0, start + number / rate - time.perf_counter()))
            if number % every == 0:
                waiting.append(pool.submit(_delay, http, request))
            else:
                sent.append(pool.submit(send, http, request))
        for accepted in sent:
            accepted.result()
        return [delay.result() for delay in waiting]


def _delay(http: httpx.Client, request: Request) -> float:
    [trace_id] = request.span_ids
    send(http, request)
    accepted = time.perf_counter()
    while True:
        answer = http.get(f"/api/public/traces/{trace_id}")
        if answer.status_code == 200:
            assert len(answer.json()["observations"]) == SPANS_PER_TRACE, "a trace was seen before its observations"
            return time.perf_counter() - accepted
        time.sleep(POLL_S)


if __name__ == "__main__":
    main()
