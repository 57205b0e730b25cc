"""Which failures count as the silence of a service, for which it would be started anew."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from appliance.config import RedisSettings, Settings
from appliance.errors import ServiceSilent, StoreUnavailable
from appliance.orchestrator.catalog import WorkerService
from appliance.orchestrator.processes import probes
from appliance.orchestrator.processes.child import launch_process
from appliance.orchestrator.processes.probes import ask_redis, probe_http, probe_postgres
from tests.unit.orchestrator.fakes import FakeHandle


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes, "TIMEOUT_S", 0.05)


@contextlib.asynccontextmanager
async def hanging_server() -> AsyncIterator[int]:
    """Takes connections and says nothing; its port."""
    ended = asyncio.Event()

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await ended.wait()
        writer.close()

    server = await asyncio.start_server(hang, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        ended.set()
        server.close()


async def test_a_store_that_takes_connections_and_says_nothing_is_silent() -> None:
    async with hanging_server() as port:
        with pytest.raises(ServiceSilent):
            await probe_postgres(f"postgresql://u:p@127.0.0.1:{port}/d")
        with pytest.raises(ServiceSilent):
            await ask_redis(f"redis://127.0.0.1:{port}", "PING")
        with pytest.raises(ServiceSilent):
            await probe_http(f"http://127.0.0.1:{port}", path="/ping")


async def test_a_store_whose_queue_of_connections_is_full_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    async def wait_for_ever(*args: object, **options: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(asyncio, "open_connection", wait_for_ever)
    with pytest.raises(ServiceSilent, match="Nothing answers"):
        await probe_http("http://127.0.0.1:1", path="/ping")


async def test_a_store_that_is_gone_is_not_silent() -> None:
    async with hanging_server() as free_port:
        pass
    with pytest.raises(StoreUnavailable) as caught:
        await probe_http(f"http://127.0.0.1:{free_port}", path="/ping")
    assert not isinstance(caught.value, ServiceSilent)


async def test_the_silence_of_redis_is_not_that_of_a_worker(tmp_path: Path) -> None:
    async with hanging_server() as port:
        settings = Settings(data_dir=tmp_path, redis=RedisSettings(connection_string=f"redis://127.0.0.1:{port}"))
        worker = WorkerService(settings, launch_process, "worker", "worker-1")
        with pytest.raises(StoreUnavailable) as caught:
            await worker.check(FakeHandle(1))
    assert not isinstance(caught.value, ServiceSilent)
