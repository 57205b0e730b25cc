"""The health checks inside the containers, against small servers."""

from __future__ import annotations

import asyncio
import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parents[5] / "compose" / "healthcheck.py"


@pytest.fixture(scope="module")
def healthcheck() -> ModuleType:
    spec = importlib.util.spec_from_file_location("healthcheck", SCRIPT)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


async def serve(answer: bytes, seen: list[bytes]) -> tuple[asyncio.Server, int]:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.read(4096))
        writer.write(answer)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    return server, server.sockets[0].getsockname()[1]


@pytest.mark.parametrize(("status", "healthy"), [(b"200 OK", True), (b"503 Service Unavailable", False)])
async def test_web(healthcheck: ModuleType, status: bytes, healthy: bool) -> None:
    server, port = await serve(b"HTTP/1.1 " + status + b"\r\n\r\n{}", [])
    async with server:
        assert await asyncio.to_thread(healthcheck.is_web_healthy, port) is healthy


@pytest.mark.parametrize(("count", "healthy"), [(b":1", True), (b":0", False)])
async def test_worker(healthcheck: ModuleType, count: bytes, healthy: bool) -> None:
    seen: list[bytes] = []
    server, port = await serve(b"+OK\r\n" + count + b"\r\n+OK\r\n", seen)
    async with server:
        url = f"redis://:pass%2Fword@127.0.0.1:{port}/0"
        assert await asyncio.to_thread(healthcheck.is_worker_healthy, "worker-1", url) is healthy
    assert b"pass/word" in seen[0] and b"{langfuse}:worker:worker-1" in seen[0]


def test_the_address_of_redis_may_be_in_a_file(
    healthcheck: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "address").write_text("redis://from-a-file\n")
    monkeypatch.delenv("REDIS_CONNECTION_STRING", raising=False)
    monkeypatch.setenv("REDIS_CONNECTION_STRING_FILE", str(tmp_path / "address"))
    assert healthcheck.redis_address() == "redis://from-a-file"
    monkeypatch.setenv("REDIS_CONNECTION_STRING", "redis://given")
    assert healthcheck.redis_address() == "redis://given"


@pytest.mark.parametrize(
    ("address", "variables", "simple"),
    [
        ("redis://h/0", {}, True),
        ("rediss://h/0", {}, True),
        ("rediss://h/0", {"REDIS_TLS_CA_PATH": "/ca.pem"}, False),
        ("redis+sentinel://h/master", {}, False),
        ("redis://h/0", {"REDIS_CLUSTER_ENABLED": "true"}, False),
        ("", {"REDIS_CLUSTER_NODES": "a:1"}, False),
    ],
)
def test_what_the_driver_has_to_ask(
    healthcheck: ModuleType, monkeypatch: pytest.MonkeyPatch, address: str, variables: dict[str, str], simple: bool
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert healthcheck.is_simple(address) is simple
