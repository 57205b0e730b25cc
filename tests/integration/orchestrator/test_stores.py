"""The embedded stores, as the session's fixture starts them."""

from __future__ import annotations

import stat
from pathlib import Path
from urllib.parse import parse_qs, quote, unquote, urlsplit

import psutil
import psycopg
import pytest

from appliance.config import Settings
from appliance.errors import StoreUnavailable
from appliance.orchestrator.processes.probes import ask_redis, probe_http, probe_postgres


async def test_stores_answer(stores: Settings) -> None:
    await probe_postgres(stores.postgres.url)
    assert await ask_redis(stores.redis.url, "PING") == b"+PONG"
    status, body = await _ask_clickhouse(stores, "SELECT currentUser()")
    assert (status, body) == (200, b"langfuse\n")


async def test_stores_want_a_password(stores: Settings) -> None:
    redis = urlsplit(stores.redis.url)
    with pytest.raises(StoreUnavailable, match="NOAUTH"):
        await ask_redis(f"unix://{redis.path}?db=0", "PING")
    for path in ("/?query=SELECT+1", "/?query=SELECT+1&user=default"):
        status, _ = await probe_http(stores.clickhouse.url, path=path)
        assert status != 200
    status, _ = await probe_http(stores.clickhouse.url, path="/?query=SELECT+1", user="default")
    assert status != 200


def test_sockets_are_for_their_owner_only(stores: Settings) -> None:
    sockets = [Path(parse_qs(urlsplit(stores.postgres.url).query)["host"][0]) / ".s.PGSQL.5432"]
    sockets.append(Path(unquote(urlsplit(stores.redis.url).path)))
    for socket in sockets:
        assert stat.S_IMODE(socket.parent.stat().st_mode) == 0o700
        assert stat.S_IMODE(socket.stat().st_mode) == 0o600
    root = str(stores.data_dir)
    listening = [
        process.name()
        for process in psutil.Process().children(recursive=True)
        if any(root in part for part in process.cmdline())
        and any(connection.status == psutil.CONN_LISTEN for connection in process.net_connections("tcp"))
    ]
    assert len(listening) == 1  # ClickHouse, on the port that is held for it


def test_postgres_takes_no_password_but_by_proof(stores: Settings) -> None:
    with psycopg.connect(stores.postgres.url) as connection:
        rules = connection.execute("SELECT DISTINCT auth_method FROM pg_hba_file_rules").fetchall()
        assert rules == [("scram-sha-256",)]
        known = connection.info.get_parameters()
    assert known["require_auth"] == "scram-sha-256"


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM file('/etc/hostname', 'LineAsString')",
        "SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString')",
        "SELECT * FROM remote('127.0.0.1:1', system.one)",
        "INSERT INTO FUNCTION file('/tmp/never-written', 'TSV', 'a String') SELECT 'x'",
        "BACKUP DATABASE langfuse TO File('/tmp/never-written')",
    ],
)
async def test_statements_of_ours_reach_no_files_and_no_servers(stores: Settings, statement: str) -> None:
    status, body = await _ask_clickhouse(stores, statement)
    assert status != 200 and b"ACCESS_DENIED" in body, body


async def _ask_clickhouse(stores: Settings, statement: str) -> tuple[int, bytes]:
    known = stores.clickhouse
    return await probe_http(known.url, path=f"/?query={quote(statement)}", user=known.user, password=known.password)
