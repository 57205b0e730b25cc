"""Finds the appliance of a data directory: its address, its control socket and its first project's keys."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec

from appliance.errors import ConfigError, NotRunning
from appliance.paths import DataDir
from tui.records import Server


class Found(msgspec.Struct, frozen=True):
    """A running appliance."""

    server: Server
    address: str
    """Where it is asked; the server's own address is for users and their links."""
    socket: Path


def find_appliance(root: Path) -> Found:
    """What the state and secrets files say; raises NotRunning without them, ConfigError when they cannot be read."""
    data_dir = DataDir(root)
    state = _read(data_dir.state_file)
    url, socket = state.get("url"), state.get("control_socket")
    if not isinstance(url, str) or not url:
        raise NotRunning(f"Nothing runs on {root}.", hint="Start it: langfuse-local up --detach")
    secrets = _read(data_dir.secrets_file)
    server = Server(
        url=url,
        public_key=str(secrets.get("public_key", "")),
        secret_key=str(secrets.get("secret_key", "")),
        local=True,
        data_dir=str(root),
    )
    return Found(
        server, str(state.get("local_url") or url), Path(str(socket)) if socket else data_dir.run / "control.sock"
    )


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path} cannot be read: {error}.", hint="Is it another user's?") from error
    return found if isinstance(found, dict) else {}
