"""Entries that wait for Postgres."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from appliance.model.queue import Delivery, Entry
from appliance.worker.waiting_for_postgres import WaitingForPostgres
from tests.fakes.sink import FakeLookups
from tests.unit.worker.working import let_pass


class Lot:
    """Entries that wait, those that went on, and a Postgres."""

    def __init__(self) -> None:
        self.lookups = FakeLookups()
        self.resumed: list[Delivery] = []
        self.parked = WaitingForPostgres(self.lookups, self.resumed.append)

    def put(self, id: str) -> None:
        self.parked.put(Delivery(id, Entry(kind="events", project_id="p", body=b"[1]", accepted_at=1), 1))

    @contextlib.asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.parked.work())
        yield
        task.cancel()
        await asyncio.wait({task})

    async def ids(self) -> list[str]:
        """Those that went on by now."""
        await let_pass(60)
        return [delivery.id for delivery in self.resumed]


@pytest.fixture
async def lot() -> Lot:
    return Lot()


async def test_they_go_on_when_postgres_answers(lot: Lot) -> None:
    lot.lookups.go_away()
    async with lot.working():
        lot.put("1")
        lot.put("2")
        assert await lot.ids() == []
        lot.lookups.come_back()
        assert await lot.ids() == ["1", "2"]


async def test_their_bodies_stay_in_redis(lot: Lot) -> None:
    async with lot.working():
        lot.put("1")
        await lot.ids()
    assert [delivery.is_without_body for delivery in lot.resumed] == [True]


async def test_it_says_how_many_wait(lot: Lot) -> None:
    lot.lookups.go_away()
    assert lot.parked.summary == ""
    async with lot.working():
        lot.put("1")
        lot.put("2")
        assert lot.parked.summary.startswith("2 requests wait for Postgres")
        lot.lookups.come_back()
        await lot.ids()
        assert lot.parked.summary == ""


async def test_one_that_comes_back_waits_for_the_next_answer(lot: Lot) -> None:
    async with lot.working():
        lot.put("1")
        assert await lot.ids() == ["1"]
        lot.lookups.go_away()
        lot.put("1")
        assert await lot.ids() == ["1"]
        lot.lookups.come_back()
        assert await lot.ids() == ["1", "1"]
