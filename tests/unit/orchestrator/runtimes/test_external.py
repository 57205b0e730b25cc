"""Stores elsewhere whose addresses cannot be used: said before anything is waited for."""

from __future__ import annotations

import pytest

from appliance.config import ClickHouseSettings, PostgresSettings, RedisSettings, Settings
from appliance.errors import ConfigError
from appliance.orchestrator.runtimes.external import ExternalRuntime

POSTGRES = "postgresql://u:p@127.0.0.1:1/d"
CLICKHOUSE = "http://127.0.0.1:1"


@pytest.mark.parametrize(
    ("postgres", "clickhouse", "variable"),
    [
        ("postgresql://u:secret%zz@h/d", CLICKHOUSE, "DATABASE_URL"),
        (POSTGRES, "http://u:secret/x@h:8123", "CLICKHOUSE_URL"),
        (POSTGRES, "http://[h:8123", "CLICKHOUSE_URL"),
        (POSTGRES, "h:8123", "CLICKHOUSE_URL"),
        (POSTGRES, "clickhouse://h:9000", "CLICKHOUSE_URL"),
        (POSTGRES, "http://", "CLICKHOUSE_URL"),
    ],
)
async def test_an_address_that_cannot_be_used_is_named(postgres: str, clickhouse: str, variable: str) -> None:
    settings = Settings(
        postgres=PostgresSettings(url=postgres),
        redis=RedisSettings(connection_string="redis://127.0.0.1:1"),
        clickhouse=ClickHouseSettings(url=clickhouse),
    )
    runtime = ExternalRuntime(settings)
    assert len(runtime.stores) == 3
    with pytest.raises(ConfigError, match=variable) as caught:
        await runtime.prepare(lambda step: None)
    await runtime.close()
    assert "secret" not in str(caught.value)


def test_places_are_shown_without_login_and_parameters() -> None:
    settings = Settings(
        postgres=PostgresSettings(url="postgresql://u:secret@db:6543?password=secret"),
        redis=RedisSettings(connection_string="redis://:secret@queue:7000/0"),
        clickhouse=ClickHouseSettings(url="https://u:secret@columns:8443/"),
    )
    assert [store.address for store in ExternalRuntime(settings).stores] == ["db:6543", "queue:7000", "columns:8443"]
