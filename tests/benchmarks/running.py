"""Where a running appliance's stores and keys are, for benchmarks that look at them from outside."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx

from appliance.config import ClickHouseSettings, load_settings


def clickhouse_of(data_dir: str | None) -> ClickHouseSettings:
    """The ClickHouse of the appliance that runs on `data_dir`, or the one that the environment names."""
    if data_dir is None:
        return load_settings().clickhouse
    port = _read(data_dir, "state.json")["ports"]["clickhouse"]
    password = _read(data_dir, "secrets.json")["clickhouse_password"]
    return ClickHouseSettings(url=f"http://127.0.0.1:{port}", user="langfuse", password=password, database="langfuse")


def web_of(data_dir: str) -> tuple[str, tuple[str, str]]:
    """The address of a running appliance, and its public and secret key."""
    secrets = _read(data_dir, "secrets.json")
    return str(_read(data_dir, "state.json")["url"]), (secrets["public_key"], secrets["secret_key"])


def require_readable(http: httpx.Client, *, traces: int, observations: int) -> None:
    """Raises AssertionError unless the project of the key holds exactly so many; what is measured must be there."""
    for noun, wanted in (("traces", traces), ("observations", observations)):
        answer = http.get(f"/api/public/{noun}", params={"limit": 50})
        assert answer.status_code == 200, f"{noun}: {answer.status_code} {answer.text[:300]}"
        rows, total = answer.json()["data"], answer.json()["meta"]["totalItems"]
        assert total == wanted, f"{total:,} {noun} can be read, not {wanted:,}"
        assert len(rows) == min(50, wanted), f"a page of {noun} has {len(rows)} rows"


def _read(data_dir: str, name: str) -> Any:
    return json.loads((Path(data_dir) / name).read_text())
