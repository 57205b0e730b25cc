"""Measure memory of web and worker while they accept and write one request of each of the largest kinds."""

from __future__ import annotations

import argparse
import gzip
import json
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import httpx
import psutil
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from tests.acceptance.appliance_process import Appliance, eventually, new_appliance
from tests.acceptance.exporter import HEADERS, PATH, make_request, prose, send
from tests.benchmarks.report import say

GOAL_MB = 900
WITHIN_S = 600.0
Case = Callable[[httpx.Client], None]


class Peak:
    """The most that web and worker had resident, bytes by service."""

    def __init__(self, appliance: Appliance) -> None:
        self._pids = {name: appliance.pids(name) for name in ("web", "worker")}
        self.most = {name: self._resident(name) for name in self._pids}
        self._done = threading.Event()

    def _resident(self, name: str) -> int:
        return sum(psutil.Process(pid).memory_info().rss for pid in self._pids[name])

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Looks ten times a second while the block runs."""
        thread = threading.Thread(target=self._watch)
        thread.start()
        try:
            yield
        finally:
            self._done.set()
            thread.join()

    def _watch(self) -> None:
        while not self._done.wait(0.1):
            for name in self._pids:
                self.most[name] = max(self.most[name], self._resident(name))


def export(spans: int, text: str, *, key: str = "input.value") -> bytes:
    """One trace of so many spans with a text each."""
    request = ExportTraceServiceRequest()
    scope = request.resource_spans.add().scope_spans.add()
    trace_id, now = uuid.uuid4().bytes, time.time_ns()
    for number in range(1, spans + 1):
        scope.spans.add(
            trace_id=trace_id,
            span_id=number.to_bytes(8, "big"),
            parent_span_id=b"" if number == 1 else (1).to_bytes(8, "big"),
            name="step",
            start_time_unix_nano=now,
            end_time_unix_nano=now + 1,
            attributes=[KeyValue(key=key, value=AnyValue(string_value=text))],
        )
    return request.SerializeToString()


def post(http: httpx.Client, body: bytes, content_type: str = "application/x-protobuf") -> None:
    """Sends a body until it is accepted."""

    def accepted() -> bool:
        answer = http.post(PATH, content=body, headers={"content-type": content_type})
        assert answer.status_code in (200, 503), answer.text
        return answer.status_code == 200

    eventually(accepted, within_s=WITHIN_S)


def many_spans(http: httpx.Client) -> None:
    body = gzip.compress(export(100_000, prose(b"a", 80)), 1)
    answer = http.post(PATH, content=body, headers=HEADERS)
    assert answer.status_code == 200, answer.text


def long_json(http: httpx.Client) -> None:
    value = [{"key": f"k{number}", "value": {"stringValue": prose(b"j", 20)}} for number in range(20)]
    span = {"traceId": "0af7651916cd43dd8448eb211c80319c", "name": "s", "startTimeUnixNano": str(time.time_ns())}
    spans = [span | {"spanId": f"{number:016x}", "attributes": value} for number in range(1, 15_001)]
    body = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}).encode()
    post(http, body, "application/json")


def long_attribute(http: httpx.Client) -> None:
    post(http, export(1, "x" * 10_000_000))


def longest_attribute(http: httpx.Client) -> None:
    post(http, export(1, "x" * 60_000_000))


def many_long_requests(http: httpx.Client) -> None:
    body = export(100, "x" * 200_000)
    for _ in range(64):
        post(http, body)


def bulk_load(http: httpx.Client) -> None:
    requests = [make_request("memory", number, traces=85) for number in range(120)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda request: send(http, request, within_s=WITHIN_S), requests))


CASES: dict[str, Case] = {
    "100,000 spans in one request": many_spans,
    "one request of JSON, 50 MB": long_json,
    "one attribute of 10 MB": long_attribute,
    "one attribute of 60 MB": longest_attribute,
    "64 requests of 20 MB": many_long_requests,
    "61,200 spans, 510 per request, from four exporters": bulk_load,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", nargs="*", choices=[*CASES, []], help="which; all without any")
    chosen = parser.parse_args().cases or list(CASES)
    for name in chosen:
        with new_appliance() as appliance:
            appliance.up()
            peak = Peak(appliance)
            with peak.watched(), appliance.http() as http:
                http.timeout = httpx.Timeout(WITHIN_S)
                CASES[name](http)
                eventually(lambda: appliance.status()["queue"]["backlog"] == 0, within_s=WITHIN_S)
            queue = appliance.status()["queue"]
            assert queue["dead_letters"] == 0, queue
        figures = ", ".join(f"{service} {size / 1e6:.0f} MB" for service, size in peak.most.items())
        say(f"most memory: {name}", figures, f"{GOAL_MB} MB together")


if __name__ == "__main__":
    main()
