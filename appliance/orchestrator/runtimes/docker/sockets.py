"""The address of this machine's container engine."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from appliance.errors import RuntimeUnavailable

_USUAL_SOCKET = Path("/var/run/docker.sock")
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


def usual_sockets() -> Sequence[Path]:
    """The system's daemon, Docker Desktop's, and a rootless daemon of this user."""
    return (
        _USUAL_SOCKET,
        Path.home() / ".docker" / "run" / "docker.sock",
        Path(f"/run/user/{os.getuid()}/docker.sock"),
    )


def engine_address(host: str, sockets: Sequence[Path]) -> str:
    """`host` (DOCKER_HOST) when it is set, else the first socket that exists, else the usual one.

    Raises RuntimeUnavailable for an engine on another machine: the stores are published on that machine's loopback.
    """
    if not host:
        return f"unix://{next((socket for socket in sockets if socket.exists()), _USUAL_SOCKET)}"
    target = urlsplit(host)
    if target.scheme in ("unix", "http+unix", "npipe") or target.hostname in _LOOPBACK:
        return host
    raise RuntimeUnavailable(
        f"DOCKER_HOST is {host}, but the docker runtime needs an engine on this machine.",
        hint="Unset DOCKER_HOST, or run langfuse-local over there.",
    )
