"""Servers that nothing here supervises."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from appliance.cli.env import env
from appliance.cli.logs import logs
from appliance.config import PostgresSettings, RedisSettings, Settings
from appliance.config_stores import ClickHouseSettings
from appliance.errors import NotFound
from appliance.orchestrator.attached import attached_status, is_attached

NOBODY = "127.0.0.1:9"


async def test_each_that_does_not_answer_is_told(tmp_path: Path) -> None:
    settings = Settings(
        data_dir=tmp_path,
        attach_url=f"http://{NOBODY}",
        postgres=PostgresSettings(url=f"postgresql://u:secret@{NOBODY}/d"),
        redis=RedisSettings(connection_string=f"redis://:secret@{NOBODY}/0"),
        clickhouse=ClickHouseSettings(url=f"http://{NOBODY}"),
    )
    assert is_attached(settings) and not is_attached(Settings(data_dir=tmp_path))
    found = await attached_status(settings)
    assert [service.name for service in found.services] == ["postgres", "redis", "clickhouse", "web"]
    assert not found.healthy and all(service.reason and not service.healthy for service in found.services)
    assert "secret" not in str(found)


async def test_without_the_stores_addresses_only_web_is_asked(tmp_path: Path) -> None:
    found = await attached_status(Settings(data_dir=tmp_path, attach_url=f"http://{NOBODY}"))
    assert [service.name for service in found.services] == ["web"]


def test_env_has_the_address_of_the_users_and_logs_say_where_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANGFUSE_LOCAL_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("LANGFUSE_LOCAL_ATTACH_URL", "http://web:3000")
    monkeypatch.setenv("NEXTAUTH_URL", "https://traces.example.com/")
    monkeypatch.setenv("LANGFUSE_INIT_PROJECT_PUBLIC_KEY", "pk-lf-1")
    monkeypatch.setenv("LANGFUSE_INIT_PROJECT_SECRET_KEY", "sk-lf-1")
    assert "LANGFUSE_BASE_URL=https://traces.example.com\n" in CliRunner().invoke(env).output
    refused = CliRunner().invoke(logs).exception
    assert isinstance(refused, NotFound) and "docker compose logs" in refused.hint
