"""The gateway inside a container: there is no supervisor, so `status` looks at the services by itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import msgspec

from appliance.errors import RemoteError
from appliance.model.services import ApplianceStatus
from appliance.own_command import own_command
from tui.api.gateway import RemoteGateway


class ContainerGateway(RemoteGateway):
    """Knows the services from our own `status`, which connects to the stores, web and the workers."""

    services_every_s = 10.0

    async def status(self) -> ApplianceStatus:
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            *own_command("appliance", "status", "--json"), stdin=asyncio.subprocess.DEVNULL, stdout=pipe, stderr=pipe
        )
        try:
            output, errors = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        try:
            return msgspec.json.decode(output, type=ApplianceStatus)
        except msgspec.DecodeError as error:
            last = errors.decode(errors="replace").strip().rpartition("\n")[2]
            raise RemoteError(
                f"The state of the services is not known: {last or '`status` printed nothing.'}"
            ) from error

    def logs(self, service: str, lines: int) -> AsyncIterator[str]:
        raise RemoteError("The logs are kept on the host.", hint="Read them there: docker compose logs --follow")

    async def control(self, service: str, verb: str) -> None:
        raise RemoteError(f"Only the host can {verb} a container.", hint=f"There: docker compose {verb} SERVICE")
