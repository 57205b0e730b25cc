"""How long an accepted trace takes to be readable, at ten requests per second."""

from __future__ import annotations

import argparse
import time
from concurrent.futures import ThreadPoolExecutor

import httpx

from tests.acceptance.appliance_process import new_appliance
from tests.acceptance.exporter import SPANS_PER_TRACE, make_request, send
from tests.benchmarks.report import percentile, say

RATE = 10.0
POLL_S = 0.02


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=300)
    arguments = parser.parse_args()
    with new_appliance() as appliance:
        appliance.up()
        with appliance.http() as http, ThreadPoolExecutor(8) as pool:
            start = time.perf_counter()
            waiting = []
            for number in range(arguments.requests):
                time.sleep(max(0.0, start + number / RATE - time.perf_counter()))
                waiting.append(pool.submit(_delay, http, number))
            delays = [future.result() for future in waiting]
    for share, goal in ((0.5, "0.2 s"), (0.99, "1 s"), (1.0, "")):
        name = "longest" if share == 1.0 else f"p{share * 100:.0f}"
        say(f"accepted to readable at {RATE:.0f} requests/s, {name}", f"{percentile(delays, share):.3f} s", goal)


def _delay(http: httpx.Client, number: int) -> float:
    request = make_request("fresh", number, traces=1)
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
