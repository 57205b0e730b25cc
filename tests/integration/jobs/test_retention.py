"""Traces go when they are older than their project keeps them, or than there is room for."""

from __future__ import annotations

import dataclasses
import logging
import os
import time

import pytest

from appliance.queries.retention import stored_bytes
from appliance.storage.clickhouse.traces.aggregate import aggregate_round
from appliance.storage.setup import prepare
from appliance.worker.jobs.housekeeping import Housekeeping
from tests.integration.jobs.conftest import Appliance

DAY = 86_400_000_000


async def write_days(appliance: Appliance, *ages: int) -> None:
    """A trace of each age in days, named after it; all of them aggregated."""
    now = time.time_ns() // 1000
    for age in ages:
        await appliance.write(f"d{age}", at=now - age * DAY - 60_000_000, written=now - age * DAY)
    await aggregate_round(appliance.stores.clickhouse, quiet_s=0)


async def keep(appliance: Appliance, days: int) -> None:
    """As a start with LANGFUSE_INIT_PROJECT_RETENTION does."""
    settings = appliance.context.settings
    init = dataclasses.replace(settings.init, project_retention_days=days)
    await prepare(dataclasses.replace(settings, init=init), lambda step: None)


def bound(appliance: Appliance, max_bytes: int) -> None:
    settings = dataclasses.replace(appliance.context.settings, max_disk_bytes=max_bytes)
    appliance.context.settings = settings
    appliance.stores = dataclasses.replace(appliance.stores, settings=settings)


async def test_nothing_goes_unless_a_bound_is_set(appliance: Appliance) -> None:
    await write_days(appliance, 1, 5000)
    assert (await appliance.http.get("/api/local/prune")).json()["data"] == []
    await Housekeeping(appliance.stores).run()
    assert await appliance.run_jobs() == ["Nothing exceeds the retention limits."]
    assert await appliance.ids("/api/public/traces") == {"d1", "d5000"}


async def test_by_age(appliance: Appliance, caplog: pytest.LogCaptureFixture) -> None:
    await write_days(appliance, 1, 6, 8, 400)
    await appliance.write("d9", at=time.time_ns() // 1000 - 9 * DAY)  # pending aggregation
    await keep(appliance, 7)
    plan = (await appliance.http.get("/api/local/prune")).json()
    [cut] = plan["data"]
    assert (cut["projectId"], cut["reason"], cut["traces"]) == (appliance.project_id, "age", 3)
    assert await appliance.ids("/api/public/traces") == {"d1", "d6", "d8", "d9", "d400"}
    with caplog.at_level(logging.WARNING):
        answer = await appliance.http.post("/api/local/prune")
        assert answer.status_code == 202
        await appliance.run_jobs()
    assert "Deleting 3 traces" in caplog.text
    assert await appliance.ids("/api/public/traces") == {"d1", "d6"}
    assert sum((await appliance.stored("d400")).values()) == 0
    assert (await appliance.http.get("/api/local/prune")).json()["data"] == []
    assert (await appliance.http.get("/api/public/projects")).json()["data"][0]["retentionDays"] == 7


async def test_a_later_start_changes_the_age(appliance: Appliance) -> None:
    for days, kept in ((7, 7), (30, 30), (-1, 30), (0, None)):
        await keep(appliance, days)
        projects = (await appliance.http.get("/api/public/projects")).json()["data"]
        assert projects[0].get("retentionDays") == kept


async def test_scores_without_a_trace_age_too(appliance: Appliance) -> None:
    await appliance.write_score("old", at=time.time_ns() // 1000 - 8 * DAY)
    await appliance.write_score("new", at=time.time_ns() // 1000 - 6 * DAY)
    await write_days(appliance, 9)
    await keep(appliance, 7)
    await appliance.http.post("/api/local/prune")
    await appliance.run_jobs()
    assert await appliance.ids("/api/public/v2/scores") == {"new"}


async def test_by_size_the_oldest_go_first(appliance: Appliance) -> None:
    await write_days(appliance, *range(1, 11))
    size = await stored_bytes(appliance.stores.clickhouse, appliance.context.postgres)
    bound(appliance, size)
    assert (await appliance.http.get("/api/local/prune")).json()["data"] == []
    bound(appliance, size * 2 // 3)
    plan = (await appliance.http.get("/api/local/prune")).json()
    assert (plan["storedBytes"], plan["maxBytes"]) == (size, size * 2 // 3)
    [cut] = plan["data"]
    assert cut["reason"] == "size" and 3 <= cut["traces"] <= 5
    await appliance.http.post("/api/local/prune")
    messages = await appliance.run_jobs()
    assert any("LANGFUSE_LOCAL_MAX_DISK_BYTES" in message for message in messages)
    kept = 10 - cut["traces"]
    assert await appliance.ids("/api/public/traces") == {f"d{age}" for age in range(1, kept + 1)}


async def test_by_size_nothing_more_goes_until_the_disk_space_is_given_back(appliance: Appliance) -> None:
    await write_days(appliance, *range(1, 11))
    bound(appliance, await stored_bytes(appliance.stores.clickhouse, appliance.context.postgres) * 2 // 3)
    await appliance.http.post("/api/local/prune")
    await appliance.run_one("apply_retention")
    left = await appliance.ids("/api/public/traces")
    for _ in range(3):
        await appliance.http.post("/api/local/prune")
        assert await appliance.run_one("apply_retention") == "Nothing exceeds the retention limits."
    assert await appliance.ids("/api/public/traces") == left


async def test_without_a_bound_nobody_asks_how_much_is_stored(appliance: Appliance) -> None:
    await write_days(appliance, 1)
    assert (await appliance.http.get("/api/local/prune")).json()["storedBytes"] == 0


async def test_files_count_towards_the_bound(appliance: Appliance) -> None:
    await write_days(appliance, 1)
    before = await stored_bytes(appliance.stores.clickhouse, appliance.context.postgres)
    await appliance.upload(os.urandom(3_000_000), "d1")
    after = await stored_bytes(appliance.stores.clickhouse, appliance.context.postgres)
    assert after - before >= 3_000_000
