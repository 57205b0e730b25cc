"""The read endpoints over a real ClickHouse, each test in a project of its own."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx
import msgspec
import pytest
import pytest_asyncio

from appliance.config import ClickHouseSettings, Settings
from appliance.model.observations import Observation
from appliance.model.scores import Score
from appliance.model.traces import TracePart
from appliance.storage.clickhouse.client import ClickHouse
from appliance.storage.clickhouse.migrations import migrate
from appliance.storage.clickhouse.writer import Writer
from appliance.storage.postgres.api_keys import KeyOwner
from appliance.web.app import create_app
from appliance.web.key_ring import KeyRing

SECOND = 1_000_000
NOW = 1_763_895_000_000_000
"""2025-11-23T10:50:00Z in microseconds."""


class OneProject:
    """A key store in which every key belongs to one project."""

    def __init__(self, project_id: str) -> None:
        self._owner = KeyOwner(project_id, "pk")

    async def owner_by_secret(self, public_key: str, secret_key: str) -> KeyOwner | None:
        return self._owner if secret_key == "sk" else None

    async def owner_by_public_key(self, public_key: str) -> KeyOwner | None:
        return self._owner


@dataclass
class ReadContext:
    """What the read endpoints need of the application's context."""

    clickhouse: ClickHouse
    keys: KeyRing


class Project:
    """Rows of one project, and the API that reads them."""

    def __init__(self, clickhouse: ClickHouse, http: httpx.AsyncClient, project_id: str) -> None:
        self.id = project_id
        self.clickhouse = clickhouse
        self._http = http
        self._writer = Writer(clickhouse)

    def through(self, clickhouse: ClickHouse) -> Project:
        """The same project, read by another client."""
        context: Any = ReadContext(clickhouse, KeyRing(OneProject(self.id)))
        transport = httpx.ASGITransport(create_app(Settings(clickhouse=clickhouse.settings), context))
        http = httpx.AsyncClient(transport=transport, base_url="http://appliance", auth=("pk", "sk"))
        return Project(clickhouse, http, self.id)

    async def close(self) -> None:
        await self._http.aclose()

    async def trace(self, trace_id: str, *, at: int = NOW, part: str = "p", **said: Any) -> None:
        if "name" in said:
            said.setdefault("name_rank", 2)
        row = TracePart(
            project_id=self.id, id=trace_id, part_id=part, timestamp=at, order_ts=at, event_ts=at, created_at=at, **said
        )
        await self._writer.write(parts=[row])

    async def observation(
        self, trace_id: str, observation_id: str, *, at: int = NOW, versions: int = 1, **values: Any
    ) -> None:
        values = {"event_ts": at, "created_at": at, "updated_at": at} | values
        row = Observation(project_id=self.id, trace_id=trace_id, id=observation_id, start_time=at, **values)
        await self._writer.write(
            [msgspec.structs.replace(row, event_ts=row.event_ts + version) for version in range(versions)]
        )

    async def score(self, score_id: str, *, at: int = NOW, **given: Any) -> None:
        values: dict[str, Any] = {"name": "quality", "source": "API", "data_type": "NUMERIC", "event_ts": at} | given
        row = Score(project_id=self.id, id=score_id, timestamp=at, created_at=at, updated_at=at, **values)
        await self._writer.write(scores=[row])

    async def answer(self, path: str, **params: Any) -> httpx.Response:
        spelled = {
            name: msgspec.json.encode(value).decode() if name in ("filter", "query") else value
            for name, value in params.items()
        }
        return await self._http.get(f"/api/public{path}", params=spelled or None)

    async def tree(self, trace_id: str, **params: Any) -> list[dict[str, Any]]:
        """The rows of a trace's tree."""
        answer = await self._http.get(f"/api/local/traces/{quote(trace_id, safe='')}/tree", params=params)
        assert answer.status_code == 200, answer.text
        rows: list[dict[str, Any]] = answer.json()["data"]
        return rows

    async def get(self, path: str, **params: Any) -> Any:
        answer = await self.answer(path, **params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def ids(self, path: str, **params: Any) -> list[str]:
        return [row["id"] for row in (await self.get(path, **params))["data"]]

    async def refused(self, path: str, **params: Any) -> tuple[int, str]:
        answer = await self.answer(path, **params)
        return answer.status_code, answer.json()["message"]


@pytest.fixture(scope="session")
def tables(stores: Settings) -> ClickHouseSettings:
    """A ClickHouse with all tables."""
    asyncio.run(migrate(stores.clickhouse))
    return stores.clickhouse


@pytest_asyncio.fixture
async def project(tables: ClickHouseSettings) -> AsyncIterator[Project]:
    clickhouse = await ClickHouse.connect(tables)
    project_id = f"read-{uuid.uuid4()}"
    context: Any = ReadContext(clickhouse, KeyRing(OneProject(project_id)))
    app = create_app(Settings(clickhouse=tables), context)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://appliance", auth=("pk", "sk")) as http:
        yield Project(clickhouse, http, project_id)
    await clickhouse.close()
