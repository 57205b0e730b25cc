"""Stores on this machine are asked directly, whatever proxy the environment names."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from clickhouse_connect.driver.httputil import check_env_proxy

from appliance.config import ClickHouseSettings, S3Settings
from appliance.storage.blobs.s3 import S3Blobs
from appliance.storage.clickhouse.client import ClickHouse


@pytest.fixture(autouse=True)
def proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "a.example")
    monkeypatch.setenv("no_proxy", "")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.0.0.2", "::1"])
def test_clickhouse(host: str) -> None:
    assert check_env_proxy("http", host, 8123) is not None
    ClickHouse(ClickHouseSettings(url=f"http://{f'[{host}]' if ':' in host else host}:8123"))
    assert check_env_proxy("http", host, 8123) is None
    assert check_env_proxy("http", "a.example", 8123) is None
    assert check_env_proxy("http", "b.example", 8123) is not None


def test_a_bucket(tmp_path: Path) -> None:
    S3Blobs(S3Settings(bucket="media", endpoint="http://localhost:9000"), tmp_path)
    assert os.environ["NO_PROXY"] == "a.example,media.localhost"
