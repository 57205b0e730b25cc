"""The sample gateway, which tests of screens use, and the real one do the same."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from appliance.errors import RemoteError
from tests.answered import answer_of
from tests.tui.api.canned_server import CannedServer
from tests.tui.api.gateway_contract import COUNT, GatewayContract
from tui.api.gateway import RemoteGateway
from tui.api.sample import SampleGateway
from tui.model.records import Health, Server


class Sample:
    def __init__(self) -> None:
        self.gateway = SampleGateway(COUNT, now=datetime.now(UTC))

    def write_trace(self) -> str:
        return self.gateway.add_trace().id

    def set_health(self, health: Health) -> None:
        self.gateway.healthy = health

    def break_down(self) -> None:
        self.gateway.failure = RemoteError("The server failed.", status=500)


class Remote:
    def __init__(self) -> None:
        self._sample = SampleGateway(COUNT, now=datetime.now(UTC))
        self._server = CannedServer(self._sample)
        self.gateway = RemoteGateway(Server("http://lf.test", "pk", "sk", local=False), http=self._server)

    def write_trace(self) -> str:
        id = self._sample.add_trace().id
        self._server.written.put_nowait([id])
        return id

    def set_health(self, health: Health) -> None:
        self._server.health = health

    def break_down(self) -> None:
        self._server.refusal = answer_of(500, {"message": "The server failed."})


class TestSampleGateway(GatewayContract):
    @pytest.fixture
    async def behind(self) -> Sample:
        return Sample()


class TestRemoteGateway(GatewayContract):
    @pytest.fixture
    async def behind(self) -> Remote:
        return Remote()
