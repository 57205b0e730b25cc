"""What requests may take together, and clients that are slow."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from appliance.errors import Overloaded, PayloadTooLarge
from appliance.web import bodies, memory_budget
from appliance.web.api import ingestion
from appliance.web.app import create_app
from appliance.web.memory_budget import MemoryBudget, MemoryCharge

JSON = {"Content-Type": "application/json"}
TRACES = "/v1/traces"


def test_what_does_not_fit_now_is_told_from_what_never_does() -> None:
    shared = MemoryBudget(100)
    with MemoryCharge(shared) as one, MemoryCharge(shared) as other:
        one.take(60)
        with pytest.raises(Overloaded):
            other.take(50)
        with pytest.raises(PayloadTooLarge):
            other.take(101)
        other.take(40)
        assert shared.used == 100
        other.give_back(10)
        one.take(10)
    assert shared.used == 0


@pytest.fixture
async def tight(client: httpx.AsyncClient) -> AsyncIterator[httpx.AsyncClient]:
    """A server with room for a quarter of its largest body."""
    transport: Any = client._transport
    context = transport.app.state.context
    settings = context.settings
    settings = replace(settings, ingestion=replace(settings.ingestion, max_inflight_bytes=25_000))
    app = create_app(settings, context)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test", auth=client.auth) as found:
        yield found


async def test_a_request_that_never_fits_is_too_large(tight: httpx.AsyncClient, stream: Any) -> None:
    assert (await tight.post(TRACES, content=b" " * 20_000, headers=JSON)).status_code == 413
    body = gzip.compress(b" " * 20_000)
    assert (await tight.post(TRACES, content=body, headers=JSON | {"Content-Encoding": "gzip"})).status_code == 413
    many = b'{"batch":[' + b"1," * 300 + b"1]}"
    assert (await tight.post("/api/public/ingestion", content=many, headers=JSON)).status_code == 413
    assert stream.entries == []
    assert (await tight.post(TRACES, content=b" " * 10_000, headers=JSON)).status_code == 200


async def test_uploads_share_the_room_and_give_it_back(tight: httpx.AsyncClient) -> None:
    arrived, go_on = asyncio.Event(), asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield b" " * 9_000
        arrived.set()
        await go_on.wait()
        yield b" "

    first = asyncio.create_task(tight.post(TRACES, content=slow(), headers=JSON))
    await arrived.wait()
    refused = await tight.post(TRACES, content=b" " * 9_000, headers=JSON)
    assert (refused.status_code, refused.json()["code"]) == (503, 14)
    assert int(refused.headers["Retry-After"]) > 0
    go_on.set()
    assert (await first).status_code == 200
    assert (await tight.post(TRACES, content=b" " * 9_000, headers=JSON)).status_code == 200


async def test_a_body_that_stops_is_given_up(client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory_budget, "IDLE_S", 0.05)

    async def stops() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.Event().wait()

    answer = await client.post(TRACES, content=stops(), headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (408, 4)


async def test_a_body_that_drips_is_given_up(client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "_SLOW_S", -1.0)
    answer = await client.post(TRACES, content=b"{}", headers=JSON)
    assert answer.status_code == 408


async def test_a_batch_of_too_many_events_is_refused(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingestion, "_MOST_EVENTS", 3)
    answer = await client.post("/api/public/ingestion", content=b'{"batch":[1,1,1,1]}', headers=JSON)
    assert answer.status_code == 413
