"""The HTTP server rests until it is to stop."""

from __future__ import annotations

import asyncio
import time

import pytest
import uvicorn

from appliance import calm_server
from appliance.calm_server import CalmServer


class Counted(CalmServer):
    """Counts how often it wakes up."""

    ticks = 0

    async def on_tick(self, counter: int) -> bool:
        self.ticks += 1
        return await super().on_tick(counter)


async def nothing(_scope: object, _receive: object, _send: object) -> None:
    """No application."""


async def test_it_stops_at_once_when_it_is_told_to_while_it_rests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calm_server, "_TICK_S", 60.0)
    server = Counted(uvicorn.Config(nothing))
    running = asyncio.create_task(server.main_loop())
    while not server.ticks:
        await asyncio.sleep(0)
    began = time.monotonic()
    server.should_exit = True
    await running
    assert server.ticks == 2 and time.monotonic() - began < 30


async def test_the_date_of_answers_is_renewed_at_every_tick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calm_server, "_TICK_S", 0.0)
    server = Counted(uvicorn.Config(nothing))
    running = asyncio.create_task(server.main_loop())
    while server.ticks < 3:
        server.server_state.default_headers = []
        await asyncio.sleep(0)
    assert [name for name, _ in server.server_state.default_headers] in ([b"date"], [])
    server.should_exit = True
    await running
    assert [name for name, _ in server.server_state.default_headers] == [b"date"]
