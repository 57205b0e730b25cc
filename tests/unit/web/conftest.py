"""The web application over fakes: keys in memory, and a queue that remembers what it was given."""

from __future__ import annotations

from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from appliance.config import IngestionSettings, Settings
from appliance.model.queue import Entry
from appliance.storage.postgres.api_keys import KeyOwner
from appliance.web.app import create_app
from appliance.web.key_ring import KeyRing

PUBLIC_KEY, SECRET_KEY = "pk-lf-test", "sk-lf-test"
BASIC = (PUBLIC_KEY, SECRET_KEY)
MAX_BODY_BYTES = 100_000


class MemoryKeys:
    """One project's key pair, and one organization's; counts the look-ups."""

    def __init__(self) -> None:
        self.lookups = 0

    async def owner_by_secret(self, public_key: str, secret_key: str) -> KeyOwner | None:
        self.lookups += 1
        return {
            SECRET_KEY: KeyOwner("project", PUBLIC_KEY),
            "sk-lf-other": KeyOwner("other", "pk-lf-other"),
            "sk-org": KeyOwner(None, "pk-org"),
        }.get(secret_key)

    async def owner_by_public_key(self, public_key: str) -> KeyOwner | None:
        self.lookups += 1
        return KeyOwner("project", PUBLIC_KEY) if public_key == PUBLIC_KEY else None


class MemoryStream:
    """Keeps entries; raises `failure` instead when it is set."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.failure: Exception | None = None

    async def require_capacity(self) -> None:
        if self.failure is not None:
            raise self.failure

    async def append(self, entry: Entry) -> str:
        await self.require_capacity()
        self.entries.append(entry)
        return f"{len(self.entries)}-0"


@pytest.fixture
def key_store() -> MemoryKeys:
    return MemoryKeys()


@pytest.fixture
def stream() -> MemoryStream:
    return MemoryStream()


@pytest.fixture
def app(key_store: MemoryKeys, stream: MemoryStream) -> Starlette:
    settings = Settings(ingestion=IngestionSettings(max_body_bytes=MAX_BODY_BYTES))
    context: Any = SimpleNamespace(settings=settings, keys=KeyRing(key_store), stream=stream)
    return create_app(settings, context)


@pytest.fixture
async def client(app: Starlette) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test", auth=BASIC) as found:
        yield found
