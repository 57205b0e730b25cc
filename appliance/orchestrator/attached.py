"""The status of a server that the commands are attached to, such as that of the compose files: asked from outside."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from urllib.parse import urlsplit

from appliance.config import Settings
from appliance.data_dir.lock import is_locked
from appliance.errors import ApplianceError
from appliance.model.receipts import Receipts
from appliance.model.services import ApplianceStatus, QueueStatus, ServiceStatus
from appliance.orchestrator.processes.probes import probe_http
from appliance.orchestrator.runtimes.external import ExternalRuntime
from appliance.orchestrator.status import disk_status
from appliance.paths import DataDir

_ANSWER_S = 5.0


def is_attached(settings: Settings) -> bool:
    """Whether the commands talk to the server at `attach_url` instead of one on this data directory."""
    return bool(settings.attach_url) and not is_locked(DataDir(settings.data_dir))


def attached_url(settings: Settings) -> str:
    """The address at which users reach that server."""
    return (settings.public_url or settings.attach_url).rstrip("/")


async def attached_status(settings: Settings) -> ApplianceStatus:
    """The status of web; also of the stores, the workers and the queue where the addresses of the stores are set."""
    web = _check("web", urlsplit(settings.attach_url).netloc, _check_web(settings.attach_url))
    queue, receipts = QueueStatus(), dict[str, Receipts]()
    if settings.postgres.address and settings.redis.is_given and settings.clickhouse.url:
        runtime = ExternalRuntime(settings)
        stores = [_check(store.name, store.address, store.probe()) for store in runtime.stores]
        services = list(await asyncio.gather(*stores, web))
        await runtime.close()
        if services[1].healthy:
            workers, queue, receipts = await _read_redis(settings)
            services += workers
    else:
        services = [await web]
    return ApplianceStatus(
        healthy=all(service.healthy for service in services),
        url=attached_url(settings),
        runtime="external",
        data_dir=str(settings.data_dir),
        services=services,
        queue=queue,
        receipts=receipts,
        disk=disk_status(settings.data_dir),
    )


async def _check(name: str, address: str, question: Awaitable[None]) -> ServiceStatus:
    status = ServiceStatus(name=name, state="external", address=address)
    try:
        async with asyncio.timeout(_ANSWER_S):
            await question
        status.healthy = True
    except ApplianceError as error:
        status.reason = error.message
    except TimeoutError:
        status.reason = f"It did not answer within {_ANSWER_S:.0f} s."
    return status


async def _check_web(url: str) -> None:
    status, _ = await probe_http(url, path="/api/public/ready")
    if status != 200:
        raise ApplianceError(f"It answers {status}.")


async def _read_redis(settings: Settings) -> tuple[list[ServiceStatus], QueueStatus, dict[str, Receipts]]:
    """The workers with a heartbeat, the queue and the receipts; empty while Redis fails."""
    from appliance.storage.redis.client import connect
    from appliance.storage.redis.heartbeats import Heartbeats
    from appliance.storage.redis.ingest_stream import IngestStream
    from appliance.storage.redis.receipts import read_receipts

    redis = connect(settings.redis)
    try:
        names = await Heartbeats(redis).alive()
        workers = [ServiceStatus(name=name, state="external", healthy=True) for name in names]
        none = ServiceStatus(name="worker", state="external", reason="No worker gives a sign of life.")
        queue = await IngestStream(redis, settings.ingestion).backlog()
        return workers or [none], queue, await read_receipts(redis)
    except ApplianceError as error:
        return [ServiceStatus(name="worker", state="external", reason=error.message)], QueueStatus(), {}
    finally:
        await redis.aclose()
