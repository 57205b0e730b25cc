"""Health tells whether data flows; projects are what a key check asks for."""

from __future__ import annotations

import asyncio
import dataclasses
from pathlib import Path
from typing import Any

import httpx
import pytest

from appliance.config import Settings
from appliance.model.queue import Entry
from appliance.storage.redis.entry_fields import fields_of
from appliance.storage.redis.heartbeats import Heartbeats
from appliance.storage.redis.ingest_stream import DEAD_LETTERS
from appliance.web.app import create_app
from appliance.web.context import Context, create_context
from appliance.web.version import VERSION


async def test_green_means_that_a_worker_lives(client: httpx.AsyncClient, context: Context) -> None:
    answer = await client.get("/health")
    assert (answer.status_code, answer.json()["reasons"]) == (503, ["No worker has given a sign of life for 10 s."])


async def test_all_is_well(client: httpx.AsyncClient, context: Context) -> None:
    await Heartbeats(context.redis).beat("worker-1", {})
    answer = await client.get("/health")
    assert (answer.status_code, answer.json()["status"]) == (200, "OK")
    assert (await client.head("/health")).status_code == 200
    for path in ("/health", "/ready"):
        versions = (await client.get(path)).json()
        assert (versions["version"], versions["langfuseLocalVersion"]) == ("3.225.4", VERSION)
    assert (await client.get("/ready")).status_code == 200


async def test_an_entry_that_waits_too_long_is_a_reason(client: httpx.AsyncClient, context: Context) -> None:
    await Heartbeats(context.redis).beat("worker-1", {})
    entry = Entry(kind="events", project_id="p", body=b"[]", accepted_at=0)
    await context.redis.xadd("{langfuse}:ingest", fields_of(entry), id="1-0")
    answer = await client.get("/health")
    assert answer.status_code == 503
    assert "oldest of 1 accepted requests" in answer.json()["reasons"][0]


async def test_dead_letters_are_counted_and_stop_nothing(client: httpx.AsyncClient, context: Context) -> None:
    await Heartbeats(context.redis).beat("worker-1", {})
    assert "deadLetters" not in (await client.get("/health")).json()
    await context.redis.xadd(DEAD_LETTERS, fields_of(Entry(kind="events", project_id="p", body=b"[", accepted_at=0)))
    later = create_app(context.settings, context)  # the first answer is kept for a second
    transport = httpx.ASGITransport(later)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as other:
        answer = await other.get("/api/public/health")
    assert (answer.status_code, answer.json()["deadLetters"]) == (200, 1)


async def test_a_full_backlog_is_a_reason(prepared: Settings, context: Context) -> None:
    await Heartbeats(context.redis).beat("worker-1", {})
    await context.stream.append(Entry(kind="events", project_id="p", body=b"[]", accepted_at=0))
    full = create_context(
        dataclasses.replace(prepared, ingestion=dataclasses.replace(prepared.ingestion, max_backlog_entries=1))
    )
    await full.open()
    transport = httpx.ASGITransport(create_app(full.settings, full))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        answer = await client.get("/api/public/health")
    await full.close()
    assert answer.json()["reasons"] == ["The backlog is full: 1 requests wait."]


async def test_stores_that_are_away_are_named(prepared: Settings) -> None:
    away = dataclasses.replace(
        prepared,
        postgres=dataclasses.replace(prepared.postgres, url="postgresql://postgres@127.0.0.1:1/postgres"),
        redis=dataclasses.replace(prepared.redis, connection_string="redis://127.0.0.1:1/0"),
        clickhouse=dataclasses.replace(prepared.clickhouse, url="http://127.0.0.1:1"),
    )
    context = create_context(away)
    await context.open()
    transport = httpx.ASGITransport(create_app(away, context))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        answer = await client.get("/api/public/health")
    await context.close()
    assert answer.status_code == 503
    assert answer.json()["reasons"] == [
        f"{store} cannot be used right now." for store in ("Postgres", "ClickHouse", "Redis")
    ]


async def test_only_who_has_a_key_is_told_where_a_store_is_missed(prepared: Settings, context: Context) -> None:
    away = create_context(
        dataclasses.replace(
            prepared, clickhouse=dataclasses.replace(prepared.clickhouse, url="http://127.0.0.1:1"), data_dir=Path("/")
        )
    )
    await away.open()
    transport = httpx.ASGITransport(create_app(away.settings, away))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        keys = (prepared.init.public_key, prepared.init.secret_key)
        known = (await client.get("/api/public/health", auth=keys)).json()
        others = [await client.get("/api/public/health", auth=auth) for auth in (None, ("pk", "wrong"))]
    await away.close()
    assert "127.0.0.1" in " ".join(known["reasons"])
    for answer in others:
        assert (answer.status_code, "127.0.0.1" in answer.text) == (503, False)
        assert answer.json()["reasons"][0] == "ClickHouse cannot be used right now."


async def test_a_write_names_the_store_that_is_away(prepared: Settings) -> None:
    gone = dataclasses.replace(prepared.redis, connection_string="redis://127.0.0.1:1/0")
    context = create_context(dataclasses.replace(prepared, redis=gone))
    await context.open()
    transport = httpx.ASGITransport(create_app(context.settings, context))
    keys = (prepared.init.public_key, prepared.init.secret_key)
    async with httpx.AsyncClient(transport=transport, base_url="http://test", auth=keys) as client:
        answer = await client.post("/api/public/ingestion", json={"batch": [{"id": "e", "type": "sdk-log"}]})
        score = await client.post("/api/public/scores", json={"name": "n", "value": 1, "traceId": "t"})
    await context.close()
    assert answer.status_code == 207
    assert (score.status_code, score.json()["message"]) == (503, "Service Unavailable: Redis cannot be used right now.")


async def test_a_flood_of_questions_for_recent_events_costs_one_query(
    client: httpx.AsyncClient, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    await Heartbeats(context.redis).beat("worker-1", {})
    asked: list[str] = []
    rows = context.clickhouse.rows

    async def counted(sql: str, *arguments: Any, **named: Any) -> list[Any]:
        asked.append(sql)
        return await rows(sql, *arguments, **named)

    monkeypatch.setattr(context.clickhouse, "rows", counted)
    answers = await asyncio.gather(*(client.get("/health", params={"failIfNoRecentEvents": "true"}) for _ in range(30)))
    assert {answer.status_code for answer in answers} <= {200, 503}
    assert sum("observations_list" in sql for sql in asked) == 1


async def test_projects_shows_the_one_of_the_key(client: httpx.AsyncClient) -> None:
    (project,) = (await client.get("/projects")).json()["data"]
    assert project["organization"].keys() == {"id", "name"}
    assert project.keys() == {"id", "name", "organization", "metadata"}
