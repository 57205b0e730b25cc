"""Compare docker with embedded: ingestion and reads in turns, and the start of the containers and of the compose file.

Both start on empty directories and get the same work in turns, six rounds of 12 requests with 510 spans and of 7 reads
each; the medians are compared, so that other load of the machine meets both. Needs a Docker Engine; the images are the
stand-ins of tests/integration/docker, or the official ones (`--official`).
"""

from __future__ import annotations

import argparse
import re
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import httpx

from tests.acceptance.appliance_process import Appliance, docker_settings, eventually, new_appliance
from tests.acceptance.exporter import SPANS_PER_TRACE, make_request, send
from tests.benchmarks.report import say
from tests.integration.docker.engine_here import ensure_images
from tests.integration.docker.stack import running_stack
from tests.integration.docker.standins.names import STORES

TRACES_PER_REQUEST = 85
READS = {
    "list of traces": ("/api/public/traces", {"limit": "50"}),
    "list of observations": ("/api/public/v2/observations", {"limit": "100", "fields": "core,basic,io"}),
    "list of sessions": ("/api/public/sessions", {"limit": "50"}),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--requests", type=int, default=12, help="requests per round")
    parser.add_argument("--official", action="store_true", help="use the official images, which must be here")
    arguments = parser.parse_args()
    if not arguments.official:
        ensure_images(STORES)
    settings = {"LANGFUSE_LOCAL_RUNTIME": "docker"} if arguments.official else docker_settings()
    with ExitStack() as stack:
        embedded = stack.enter_context(new_appliance(LANGFUSE_LOCAL_RUNTIME="embedded"))
        docker = stack.enter_context(new_appliance(**settings))
        say("containers created to healthy, images present", f"{_store_start(docker):.1f} s", "6 s")
        docker.down()
        say("containers healthy again, with data", f"{_store_start(docker):.1f} s")
        embedded.up()
        compare(embedded, docker, rounds=arguments.rounds, requests=arguments.requests)
    if not arguments.official:
        start_compose()


def _store_start(appliance: Appliance) -> float:
    """Seconds until the last store answers, by what `up` says."""
    done = subprocess.run(
        appliance.command("up", "--detach"), env=appliance.environ, capture_output=True, text=True, check=True
    )
    appliance.refresh()
    return max(float(second) for second in re.findall(r"([\d.]+) s +\w+ answers at 127.0.0.1", done.stderr))


def compare(embedded: Appliance, docker: Appliance, *, rounds: int, requests: int) -> None:
    """The same work in turns, so that other load of the machine meets both; says the medians' ratio."""
    spans = requests * TRACES_PER_REQUEST * SPANS_PER_TRACE
    seconds: dict[str, dict[str, list[float]]] = {}
    with embedded.http() as one, docker.http() as other:
        for number in range(-1, rounds):
            for name, http in (
                (("embedded", one), ("docker", other)) if number % 2 else (("docker", other), ("embedded", one))
            ):
                taken = {"ingestion": _ingest(http, f"round-{number}", requests)}
                taken |= {what: _read(http, path, params) for what, (path, params) in READS.items()}
                if number >= 0:  # the first round fills caches
                    for what, value in taken.items():
                        seconds.setdefault(what, {}).setdefault(name, []).append(value)
    for what, by_runtime in seconds.items():
        here, there = (statistics.median(by_runtime[name]) for name in ("embedded", "docker"))
        show: Callable[[float], str] = (
            (lambda value: f"{spans / value:,.0f} spans/s")
            if what == "ingestion"
            else (lambda value: f"{value * 1000:.0f} ms")
        )
        say(
            f"{what}: embedded, docker, docker's time to embedded's",
            f"{show(here)}, {show(there)}, {there / here:.2f}",
            "1.15",
        )


def _ingest(http: httpx.Client, seed: str, count: int) -> float:
    """Seconds until all spans of `count` requests are accepted and readable."""
    requests = [make_request(seed, number, traces=TRACES_PER_REQUEST) for number in range(count)]
    spans = sum(len(ids) for request in requests for ids in request.span_ids.values())
    start = time.perf_counter()
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda request: send(http, request), requests))
    eventually(lambda: _count(http, f"{seed}-user"), until=lambda seen: seen >= spans, within_s=120)
    return time.perf_counter() - start


def _count(http: httpx.Client, user: str) -> int:
    total: int = http.get("/api/public/observations", params={"userId": user, "limit": "1"}).json()["meta"][
        "totalItems"
    ]
    return total


def _read(http: httpx.Client, path: str, params: dict[str, str]) -> float:
    """Median seconds of some equal reads."""
    times = []
    for _ in range(7):
        start = time.perf_counter()
        answer = http.get(path, params=params).raise_for_status()
        times.append(time.perf_counter() - start)
        assert len(answer.json()["data"]) == int(params["limit"]), f"{path} has {len(answer.json()['data'])} rows"
    return statistics.median(times)


def start_compose() -> None:
    """From `docker compose up --wait` with images present to the first accepted trace, on new and on used volumes."""
    with tempfile.TemporaryDirectory() as folder, running_stack(Path(folder)) as stack:
        for what, removal in (("new volumes", ["--volumes"]), ("used volumes", [])):
            stack.compose("down", *removal)
            start = time.perf_counter()
            stack.up()
            with stack.client() as client:
                send(client, make_request("first", 0, traces=1))
            say(f"docker compose up --wait to the first accepted trace, {what}", f"{time.perf_counter() - start:.1f} s")


if __name__ == "__main__":
    main()
