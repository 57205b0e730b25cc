"""The server that runs on a data directory: its addresses and the keys of its first project."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from appliance.data_dir.secrets import read_secrets
from appliance.data_dir.state import read_state
from appliance.errors import NotRunning
from appliance.model.key_pair import KeyPair
from appliance.paths import DataDir


@dataclass(frozen=True, slots=True)
class LocalServer:
    """A running appliance."""

    url: str
    """The address for users and their links."""
    local_url: str
    """The address for requests from this machine."""
    keys: KeyPair
    control_socket: Path


def find_local_server(data_dir: DataDir) -> LocalServer:
    """The server that state.json and secrets.json name; raises NotRunning, or ConfigError when one cannot be read."""
    state, secrets = read_state(data_dir), read_secrets(data_dir)
    if state.url is None or secrets is None:
        raise NotRunning(f"Nothing runs on {data_dir.root}.", hint="Start it: langfuse-local up --detach")
    socket = Path(state.control_socket) if state.control_socket else data_dir.run / "control.sock"
    return LocalServer(state.url, state.local_url or state.url, secrets.key_pair, socket)
