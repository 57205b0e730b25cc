"""Finds the appliance of a data directory: its address, its control socket and its first project's keys."""

from __future__ import annotations

from pathlib import Path

import msgspec

from appliance.data_dir.local_server import find_local_server
from appliance.paths import DataDir
from tui.model.records import Server


class RunningAppliance(msgspec.Struct, frozen=True):
    """A running appliance."""

    server: Server
    address: str
    """Where requests go; the server's own address is for users and their links."""
    socket: Path


def find_appliance(root: Path) -> RunningAppliance:
    """Reads the state and secrets files; raises NotRunning without them, ConfigError when they cannot be read."""
    running = find_local_server(DataDir(root))
    server = Server(
        url=running.url,
        public_key=running.keys.public_key,
        secret_key=running.keys.secret_key,
        local=True,
        data_dir=str(root),
    )
    return RunningAppliance(server, running.local_url, running.control_socket)
