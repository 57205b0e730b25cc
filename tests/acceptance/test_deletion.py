"""Deleting as a user does it, while services are killed: nothing comes back, nothing else goes."""

from __future__ import annotations

import json
import os
import signal
from typing import Any

import httpx
import pytest

from tests.acceptance.appliance_process import Appliance, eventually
from tests.acceptance.exporter import make_request, send

RECOVERY_S = 90.0


def send_traces(http: httpx.Client, seed: str, requests: int) -> set[str]:
    """Accepted traces, all of them listed."""
    ids = set()
    for number in range(requests):
        request = make_request(seed, number, traces=5)
        send(http, request)
        ids |= set(request.span_ids)
    eventually(lambda: listed(http, seed), until=lambda seen: seen == ids, within_s=RECOVERY_S)
    return ids


def listed(http: httpx.Client, name: str) -> set[str]:
    answer = http.get("/api/public/traces", params={"name": name, "limit": 100})
    assert answer.status_code == 200, answer.text
    return {row["id"] for row in answer.json()["data"]}


def jobs_of(http: httpx.Client) -> list[dict[str, Any]]:
    answer = http.get("/api/local/jobs", params={"state": "waiting,running,failed"})
    assert answer.status_code == 200, answer.text
    return [job for job in answer.json()["data"] if job["kind"] == "purge_deleted"]


@pytest.mark.parametrize("service", ["worker", "clickhouse", "postgres", "redis"])
def test_a_deletion_survives_the_death_of_a_service(own_appliance: Appliance, service: str) -> None:
    with own_appliance.http() as http:
        kept, gone = send_traces(http, f"kept-{service}", 2), send_traces(http, f"gone-{service}", 4)
        named = [{"type": "string", "column": "name", "operator": "=", "value": f"gone-{service}"}]
        answer = http.delete("/api/local/traces", params={"filter": json.dumps(named)})
        assert answer.json() == {"traces": len(gone)}
        assert listed(http, f"gone-{service}") == set()
        eventually(
            lambda: [job["state"] for job in jobs_of(http)], until=lambda states: "running" in states, within_s=30
        )
        killed = own_appliance.pids(service)
        for pid in killed:
            os.kill(pid, signal.SIGKILL)
        eventually(
            lambda: own_appliance.pids(service), until=lambda now: bool(now) and now != killed, within_s=RECOVERY_S
        )
        eventually(own_appliance.status, until=lambda status: bool(status.get("healthy")), within_s=RECOVERY_S)
        eventually(lambda: jobs_of(http) == [], within_s=RECOVERY_S)
        assert listed(http, f"gone-{service}") == set()
        assert listed(http, f"kept-{service}") == kept
        some = next(iter(gone))
        assert http.get(f"/api/public/traces/{some}").status_code == 404


def test_the_command_deletes_and_shows_its_job(own_appliance: Appliance) -> None:
    with own_appliance.http() as http:
        ids = sorted(send_traces(http, "by-command", 1))
        asked = own_appliance.run("delete", "trace", ids[0])
        assert asked.returncode == 1 and "Delete 1 trace?" in asked.stderr
        assert own_appliance.run("delete", "trace", ids[0], "--yes").stderr == "Deleted 1 trace.\n"
        assert listed(http, "by-command") == set(ids[1:])
        found = own_appliance.run("delete", "traces", "name:by-command", "--yes", "--json")
        assert json.loads(found.stdout) == {"traces": len(ids) - 1}
        assert own_appliance.run("delete", "traces", "--yes").returncode == 2
        eventually(lambda: jobs_of(http) == [], within_s=RECOVERY_S)
        jobs = json.loads(own_appliance.run("jobs", "list", "--json").stdout)
        purged = next(job for job in jobs if job["kind"] == "purge_deleted")
        assert purged["state"] == "done"
        assert purged["id"] in own_appliance.run("jobs", "show", purged["id"]).stdout
        refused = own_appliance.run("jobs", "cancel", purged["id"])
        assert refused.returncode == 1 and "is done" in refused.stderr
        assert own_appliance.run("prune", "--dry-run").stderr == "Nothing exceeds the retention limits.\n"
