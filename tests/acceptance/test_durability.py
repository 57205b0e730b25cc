"""Any process may be killed at any moment: what was accepted is readable afterwards, exactly once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from itertools import count
from subprocess import PIPE
from typing import Any

import httpx
import pytest

from tests.acceptance.appliance_process import Appliance, eventually
from tests.acceptance.exporter import Load, make_request, send

RECOVERY_S = 60.0


def observation_ids(http: httpx.Client, user_id: str) -> Counter[str]:
    """How often each id appears on a walk through all observations of a user."""
    seen: Counter[str] = Counter()
    cursor: str | None = ""
    while cursor is not None:
        params = {"userId": user_id, "limit": "1000", "fields": "core"} | ({"cursor": cursor} if cursor else {})
        answer = http.get("/api/public/v2/observations", params=params)
        assert answer.status_code == 200, answer.text
        body = answer.json()
        seen.update(entry["id"] for entry in body["data"])
        cursor = body["meta"].get("cursor")
    return seen


def listed_ids(http: httpx.Client, path: str, **params: str) -> Counter[str]:
    """How often each id appears on all pages of a list."""
    seen: Counter[str] = Counter()
    page = 1
    while True:
        answer = http.get(path, params={**params, "limit": "100", "page": str(page)})
        assert answer.status_code == 200, answer.text
        body = answer.json()
        seen.update(entry["id"] for entry in body["data"])
        if page >= body["meta"]["totalPages"]:
            assert body["meta"]["totalItems"] == seen.total()
            return seen
        page += 1


def receipts_of(http: httpx.Client) -> dict[str, Any]:
    answer = http.get("/api/local/receipts")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def settled_receipts(http: httpx.Client) -> dict[str, Any]:
    """The receipts once nothing waits; what was accepted is written, dead or dropped."""
    found = eventually(
        lambda: receipts_of(http), until=lambda receipts: receipts["waiting"]["requests"] == 0, within_s=RECOVERY_S
    )
    for unit in ("requests", "items"):
        assert found["accepted"][unit] == sum(found[fate][unit] for fate in ("written", "dead", "dropped"))
    return found


def kill(appliance: Appliance, service: str) -> None:
    """Kills all processes of a service and waits until it has others."""
    killed = appliance.pids(service)
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    eventually(lambda: appliance.pids(service), until=lambda now: bool(now) and now != killed, within_s=RECOVERY_S)


@pytest.mark.parametrize(
    ("service", "times"), [("worker", 4), ("web", 2), ("redis", 2), ("clickhouse", 2), ("postgres", 1)]
)
def test_killing_a_service_loses_nothing_and_doubles_nothing(
    own_appliance: Appliance, service: str, times: int
) -> None:
    appliance, seed = own_appliance, f"kill-{service}"
    with appliance.http() as http:
        with Load(http, seed, traces=5) as load:
            eventually(lambda: len(load.accepted), until=lambda count: count >= 50, within_s=RECOVERY_S)
            for _ in range(times):
                kill(appliance, service)
            eventually(appliance.status, until=lambda status: bool(status.get("healthy")), within_s=RECOVERY_S)
            before = len(load.accepted)
            eventually(lambda: len(load.accepted), until=lambda count: count >= before + 50, within_s=RECOVERY_S)
        assert load.error is None
        expected = {span_id for span_ids in load.accepted.values() for span_id in span_ids}
        observations = eventually(
            lambda: observation_ids(http, f"{seed}-user"), until=lambda seen: set(seen) >= expected, within_s=RECOVERY_S
        )
        assert observations == Counter(dict.fromkeys(expected, 1))
        settled_receipts(http)
        traces = listed_ids(http, "/api/public/traces", name=seed)
        assert traces == Counter(dict.fromkeys(load.accepted, 1))
        some = next(iter(load.accepted))
        trace = http.get(f"/api/public/traces/{some}").json()
        assert sorted(entry["id"] for entry in trace["observations"]) == sorted(load.accepted[some])


def test_tail_misses_nothing_while_web_is_killed(own_appliance: Appliance) -> None:
    public_key, secret_key = own_appliance.keys
    server = ["--url", own_appliance.url, "--public-key", public_key, "--secret-key", secret_key]
    command = [sys.executable, "-m", "appliance", "tail", "--jsonl", *server]  # beside the container of web, not in it
    process = subprocess.Popen(command, env=own_appliance.environ, stdout=PIPE, stderr=PIPE, text=True)
    assert process.stdout is not None and process.stderr is not None
    ids: list[str] = []
    lines = iter(process.stdout.readline, "")
    reader = threading.Thread(target=lambda: ids.extend(json.loads(line)["id"] for line in lines), daemon=True)
    reader.start()
    try:
        with own_appliance.http() as http:
            requests = (make_request("before", number, traces=1) for number in count())
            eventually(lambda: send(http, next(requests)) or ids, within_s=30)
            with Load(http, "followed", traces=5) as load:
                for enough in (50, 100):
                    eventually(lambda: len(load.accepted), until=enough.__lt__, within_s=RECOVERY_S)
                    kill(own_appliance, "web")
        eventually(lambda: set(ids), until=lambda seen: seen >= set(load.accepted), within_s=RECOVERY_S)
    finally:
        process.terminate()
        process.wait(timeout=10)
        reader.join(timeout=10)
        said = process.stderr.read()
        process.stdout.close()
        process.stderr.close()
    assert len(ids) == len(set(ids))
    assert "ended the connection" in said and "Connected again." in said


def test_a_stopped_worker_delays_but_loses_nothing(own_appliance: Appliance) -> None:
    seed = "paused"
    with own_appliance.http() as http:
        [pid] = own_appliance.pids("worker")
        os.kill(pid, signal.SIGSTOP)
        with Load(http, seed) as load:
            eventually(lambda: len(load.accepted), until=lambda count: count >= 20, within_s=RECOVERY_S)
        os.kill(pid, signal.SIGCONT)
        assert load.failures == 0
        params = {"name": seed, "limit": "1"}
        eventually(  # the pages of a list that grows meanwhile make no whole
            lambda: http.get("/api/public/traces", params=params).json()["meta"]["totalItems"],
            until=lambda total: total == len(load.accepted),
            within_s=RECOVERY_S,
        )
        assert listed_ids(http, "/api/public/traces", name=seed) == Counter(dict.fromkeys(load.accepted, 1))
