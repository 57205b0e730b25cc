"""`dead-letters` on a real Redis."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable

import pytest
from click.testing import CliRunner, Result

from appliance.cli.dead_letters import dead_letters
from appliance.config import Settings
from appliance.model.queue import Entry
from appliance.storage.redis.client import Redis, connect
from appliance.storage.redis.ingest_stream import IngestStream
from appliance.storage.redis.receipts import read_receipts

Run = Callable[..., "asyncio.Future[Result]"]


@pytest.fixture
async def redis(stores: Settings) -> AsyncIterator[Redis]:
    client = connect(stores.redis)
    await client.flushdb()
    stream = IngestStream(client, stores.ingestion)
    for project, body in (("one", b'[{"id":"e1"}]'), ("two", b"\xff\xfe")):
        await stream.append(Entry(kind="events", project_id=project, body=body, accepted_at=1_000_000, items=3))
        (delivery,) = await stream.read("w", 1, 10)
        await stream.dead_letter(delivery, "because")
    yield client
    await client.aclose()


@pytest.fixture
def run(stores: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Run:
    monkeypatch.setenv("REDIS_CONNECTION_STRING", stores.redis.url)
    monkeypatch.setenv("LANGFUSE_LOCAL_DATA_DIR", str(tmp_path_factory.mktemp("empty")))

    def invoke(*arguments: str, says: str = "") -> asyncio.Future[Result]:
        return asyncio.ensure_future(asyncio.to_thread(CliRunner().invoke, dead_letters, arguments, input=says))

    return invoke


async def listed(run: Run, *arguments: str) -> list[dict[str, object]]:
    done = await run("list", "--json", *arguments)
    assert done.exit_code == 0, done.output
    found: list[dict[str, object]] = json.loads(done.stdout or "[]")
    return found


async def test_letters_are_listed_and_shown(redis: Redis, run: Run) -> None:
    first, second = await listed(run)
    assert (first["projectId"], first["error"], first["items"], first["bytes"]) == ("one", "because", 3, 13)
    assert await listed(run, "--project", "two") == [second]
    assert await listed(run, "--limit", "1") == [first]
    assert "because" in (await run("list")).stdout
    shown = json.loads((await run("show", str(first["id"]), "--json")).stdout)
    assert shown == first | {"payload": [{"id": "e1"}]}
    assert "ff fe" in (await run("show", str(second["id"]))).stdout


async def test_letters_are_replayed_and_dropped(redis: Redis, run: Run) -> None:
    first, _ = await listed(run)
    assert (await run("replay", str(first["id"]))).exit_code == 0
    assert [letter["projectId"] for letter in await listed(run)] == ["two"]
    refused = await run("drop", "--all", says="n\n")
    assert (refused.exit_code, "Delete 1 dead letter?" in refused.stderr) == (1, True)
    unanswered = await run("drop", "--all", says="")
    assert (unanswered.exit_code, "Nothing was deleted." in unanswered.stderr) == (1, True)
    assert len(await listed(run)) == 1
    assert (await run("drop", "--all", "--project", "other", "--yes")).exit_code == 0
    assert (await run("drop", "--all", "--yes")).exit_code == 0
    assert await listed(run) == []
    receipts = await read_receipts(redis)
    assert (receipts["one"].waiting.requests, receipts["one"].dead.requests) == (1, 0)
    assert (receipts["two"].dropped.items, receipts["two"].dead.items, receipts["two"].waiting.items) == (3, 0, 0)


async def test_mistakes_are_said(redis: Redis, run: Run) -> None:
    for command in ("replay", "drop"):
        missing = await run(command, "7-0")
        assert (missing.exit_code, "no dead letter 7-0" in missing.stderr, "Delete" in missing.stderr) == (
            1,
            True,
            False,
        )
    for arguments in (["drop"], ["replay", "7-0", "--all"], ["replay", "7-0", "--project", "p"]):
        assert (await run(*arguments)).exit_code == 2
