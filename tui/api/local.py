"""Finds the appliance of a data directory: its address, its control socket and its first project's keys."""

from __future__ import annotations

from pathlib import Path

import msgspec

from appliance.data_dir.local_server import find_local_server
from appliance.paths import DataDir
from tui.model.records import Server


class Found(msgspec.Struct, frozen=True):
    """A running appliance."""

    server: Server
    address: str
    """Where it is asked; the server's own address is for users and their links."""
    socket: Path


def find_appliance(root: Path) -> Found:
    """What the state and secrets files say; raises NotRunning without them, ConfigError when they cannot be read."""
    found = find_local_server(DataDir(root))
    server = Server(
        url=found.url,
        public_key=found.keys.public_key,
        secret_key=found.keys.secret_key,
        local=True,
        data_dir=str(root),
    )
    return Found(server, found.local_url, found.control_socket)
