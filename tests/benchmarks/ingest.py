"""How many spans per second are accepted and readable, with four exporters that send as fast as they can."""

from __future__ import annotations

import argparse
import time
from concurrent.futures import ThreadPoolExecutor

import httpx

from tests.acceptance.appliance_process import eventually, new_appliance
from tests.acceptance.exporter import HEADERS, PATH, SPANS_PER_TRACE, Request, make_request, send
from tests.benchmarks.report import percentile, say

TRACES_PER_REQUEST = 85
"""About the 512 spans that an exporter sends at once."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=120)
    parser.add_argument("--concurrency", type=int, default=4)
    arguments = parser.parse_args()
    requests = [make_request("ingest", number, traces=TRACES_PER_REQUEST) for number in range(arguments.requests)]
    spans = len(requests) * TRACES_PER_REQUEST * SPANS_PER_TRACE
    with new_appliance() as appliance:
        appliance.up()
        with appliance.http() as http, ThreadPoolExecutor(arguments.concurrency) as pool:
            http.post(PATH, content=b"", headers=HEADERS)
            start = time.perf_counter()
            latencies = list(pool.map(lambda request: _timed(http, request), requests))
            accepted = time.perf_counter() - start
            eventually(lambda: _count(http), until=lambda count: count >= spans, within_s=300)
            readable = time.perf_counter() - start
    say("spans accepted", f"{spans / accepted:,.0f}/s")
    say("spans accepted and readable", f"{spans / readable:,.0f}/s", "3,000/s")
    say("request latency p50, p99", f"{percentile(latencies, 0.5):.3f} s, {percentile(latencies, 0.99):.3f} s")


def _timed(http: httpx.Client, request: Request) -> float:
    start = time.perf_counter()
    send(http, request)
    return time.perf_counter() - start


def _count(http: httpx.Client) -> int:
    answer = http.get("/api/public/observations", params={"userId": "ingest-user", "limit": "1"})
    total: int = answer.json()["meta"]["totalItems"]
    return total


if __name__ == "__main__":
    main()
