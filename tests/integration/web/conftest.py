"""The whole web application over real stores, prepared once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from appliance.config import Settings
from appliance.storage.setup import prepare
from appliance.web.app import create_app
from appliance.web.context import Context, create_context


@pytest.fixture(scope="session")
def prepared(stores: Settings) -> Settings:
    asyncio.run(prepare(stores, lambda step: None))
    return stores


@pytest.fixture
async def context(prepared: Settings) -> AsyncIterator[Context]:
    found = create_context(prepared)
    await found.open()
    await found.redis.flushdb()
    yield found
    await found.close()


@pytest.fixture
async def client(prepared: Settings, context: Context) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(create_app(prepared, context))
    auth = (prepared.init.public_key, prepared.init.secret_key)
    async with httpx.AsyncClient(transport=transport, base_url="http://test/api/public", auth=auth) as found:
        yield found
