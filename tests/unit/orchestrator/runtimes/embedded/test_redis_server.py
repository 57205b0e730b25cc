"""Which Redis server the embedded runtime starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.errors import RuntimeUnavailable
from appliance.orchestrator.runtimes.embedded.redis import choose_server
from appliance.orchestrator.runtimes.embedded.redis_data import Record, Server, read_record, write_record


def test_the_server_of_the_wheel_goes_before_those_on_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package installed between two starts must not change what writes the queue's file."""
    for name in ("redis-server", "valkey-server"):
        program = tmp_path / name
        program.write_text("#!/bin/sh\necho 'Redis server v=99.0.0 sha=0'\n")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    binary, server = choose_server(None)
    assert binary.parent != tmp_path
    assert server.version >= (6, 2)


@pytest.mark.parametrize(
    ("server", "writer", "reads"),
    [
        (("valkey", (9, 1, 0)), ("valkey", (9, 1, 0)), True),
        (("valkey", (9, 1, 0)), ("valkey", (9, 2, 0)), False),
        (("redis", (6, 2, 6)), ("redis", (7, 0, 15)), False),
        (("redis", (7, 0, 15)), ("redis", (6, 2, 6)), True),
        (("valkey", (9, 1, 0)), ("redis", (7, 2, 4)), True),
        (("valkey", (9, 1, 0)), ("redis", (7, 4, 0)), False),
        (("redis", (7, 2, 4)), ("valkey", (8, 1, 0)), True),
        (("redis", (7, 0, 0)), ("valkey", (8, 1, 0)), False),
        (("redis", (8, 0, 0)), ("valkey", (9, 1, 0)), False),
    ],
)
def test_an_older_server_does_not_get_newer_data(
    server: tuple[str, tuple[int, ...]], writer: tuple[str, tuple[int, ...]], reads: bool
) -> None:
    assert Server(*server).reads(Server(*writer)) is reads


def test_data_that_no_server_here_reads_are_refused_with_a_word(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(RuntimeUnavailable, match=r"written by Valkey 99\.0\.0; here is only Valkey"):
        choose_server(Server("valkey", (99, 0, 0)))


def test_data_without_a_record_tell_their_server_themselves(tmp_path: Path) -> None:
    assert read_record(tmp_path) is None
    (tmp_path / "appendonly.aof").write_bytes(b"*1")
    assert read_record(tmp_path) == Record("redis", (6, 2, 0))
    parts = tmp_path / "appendonlydir"
    parts.mkdir()
    assert read_record(tmp_path) == Record("redis", (7, 0, 0))
    (parts / "appendonly.aof.1.base.rdb").write_bytes(b"REDIS0012\xfa\x09redis-ver\x057.4.1\xfa\x0aredis-bits\xc0@")
    assert read_record(tmp_path) == Record("redis", (7, 4, 1))
    write_record(tmp_path, Record("valkey", (9, 1, 0), "abc"))
    assert read_record(tmp_path) == Record("valkey", (9, 1, 0), "abc")
