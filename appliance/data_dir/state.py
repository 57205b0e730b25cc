"""state.json: what runs on a data directory, and its last ports; enough to find it again after a crash."""

from __future__ import annotations

import msgspec

from appliance.data_dir.private_files import read_private, write_private
from appliance.errors import ConfigError
from appliance.model.services import RuntimeName
from appliance.paths import DataDir


class ProcessRecord(msgspec.Struct, kw_only=True, frozen=True):
    """A started process; pid and creation time together identify it."""

    name: str
    pid: int
    create_time: float
    """Seconds since the epoch, as psutil says."""
    stop_signal: int


class State(msgspec.Struct, kw_only=True, omit_defaults=True):
    """The content of state.json."""

    url: str | None = None
    """Address of web for users while the appliance runs, None after a clean stop."""
    local_url: str | None = None
    """Address of web for programs on this machine, whether or not `url` leads to it yet."""
    runtime: RuntimeName = "embedded"
    """The runtime it runs with, or ran with last."""
    moving_to: RuntimeName | None = None
    """The target of a move of the data that was begun and not completed."""
    step: str | None = None
    """The last step of a start in progress, for other commands that wait for it."""
    host: str = "127.0.0.1"
    control_socket: str | None = None
    supervisor: ProcessRecord | None = None
    processes: list[ProcessRecord] = msgspec.field(default_factory=list)
    workers: int = 1
    """Number of worker processes, now or when it ran last."""
    web_workers: int = 1
    ports: dict[str, int] = msgspec.field(default_factory=dict)
    """By service name; kept over stops."""
    sockets: dict[str, str] = msgspec.field(default_factory=dict)
    """Paths of the sockets of the stores that have one, by service name."""


def read_state(data_dir: DataDir) -> State:
    """The stored state, an empty one when there is none; raises ConfigError when it cannot be read."""
    try:
        return msgspec.json.decode(read_private(data_dir.state_file), type=State)
    except (FileNotFoundError, NotADirectoryError, msgspec.DecodeError, UnicodeDecodeError):
        return State()  # written atomically, so an unreadable one is of another version: start with an empty one
    except OSError as error:
        raise ConfigError(
            f"{data_dir.state_file} cannot be read: {error.strerror}.", hint="Is it another user's?"
        ) from error


def write_state(data_dir: DataDir, state: State) -> None:
    """Stores the state, whole or not at all; raises OSError."""
    text = msgspec.json.format(msgspec.json.encode(state), indent=2).decode()
    write_private(data_dir.state_file, text, lasting=False)
