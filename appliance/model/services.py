"""What runs: the state of every service of an appliance, as `status --json` prints it (the CLI contract)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

import msgspec

from appliance.model.receipts import Receipts

RuntimeName = Literal["embedded", "docker", "external"]
"""How the stores run: as child processes, in containers, or on servers that the environment names."""
STORE_NAMES: Final = ("postgres", "redis", "clickhouse")
"""The stores, in the order in which they start."""
ServiceState = Literal["starting", "running", "stopping", "stopped", "failed", "external", "unknown"]
"""Failed: gave up for now, and starts again later. Unknown: the supervisor does not answer."""
USUAL_PORTS: Final[Mapping[str, int]] = {"postgres": 15432, "redis": 16379, "clickhouse": 18123, "web": 3000}
"""The ports that services listen on, unless they are taken or others are set."""


class ServiceStatus(msgspec.Struct, kw_only=True):
    """One service: postgres, redis, clickhouse, web, worker (or worker-1, ...)."""

    name: str
    state: ServiceState
    pid: int | None = None
    pids: list[int] = msgspec.field(default_factory=list)
    container: str | None = None
    address: str | None = None
    healthy: bool = False
    reason: str | None = None
    """Why it is not healthy, in one sentence."""
    uptime_s: float | None = None
    cpu_percent: float | None = None
    """Of one core, over the last sample."""
    rss_bytes: int | None = None


class QueueStatus(msgspec.Struct, kw_only=True):
    """The way from web to worker."""

    backlog: int = 0
    """Requests accepted but not yet written."""
    oldest_s: float = 0.0
    """Age of the oldest of them, seconds."""
    dead_letters: int = 0


class DiskStatus(msgspec.Struct, kw_only=True):
    """The disk that holds the data directory."""

    used_bytes: int = 0
    free_bytes: int = 0


class ApplianceStatus(msgspec.Struct, kw_only=True):
    """Everything `status` says."""

    healthy: bool
    url: str
    """Address of web; empty while nothing runs."""
    otlp_grpc: str | None = None
    """Address of OTLP over gRPC; None while it is off."""
    runtime: RuntimeName
    data_dir: str
    services: list[ServiceStatus] = msgspec.field(default_factory=list)
    queue: QueueStatus = msgspec.field(default_factory=QueueStatus)
    receipts: dict[str, Receipts] = msgspec.field(default_factory=dict)
    """What became of the requests of each project, by its id."""
    disk: DiskStatus = msgspec.field(default_factory=DiskStatus)
