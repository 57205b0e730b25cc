"""The embedded stores, as the session's fixture starts them."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from appliance.config import Settings
from appliance.errors import StoreUnavailable
from appliance.orchestrator.probes import ask_redis, probe_http, probe_postgres


async def test_stores_answer(stores: Settings) -> None:
    await probe_postgres(stores.postgres.url)
    assert await ask_redis(stores.redis.url, "PING") == b"+PONG"
    status, body = await probe_http(
        stores.clickhouse.url,
        path="/?query=SELECT+currentUser()",
        user=stores.clickhouse.user,
        password=stores.clickhouse.password,
    )
    assert (status, body) == (200, b"langfuse\n")


async def test_stores_want_a_password(stores: Settings) -> None:
    redis = urlsplit(stores.redis.url)
    with pytest.raises(StoreUnavailable, match="NOAUTH"):
        await ask_redis(f"redis://{redis.hostname}:{redis.port}/0", "PING")
    for path in ("/?query=SELECT+1", "/?query=SELECT+1&user=default"):
        status, _ = await probe_http(stores.clickhouse.url, path=path)
        assert status != 200
    status, _ = await probe_http(stores.clickhouse.url, path="/?query=SELECT+1", user="default")
    assert status != 200
