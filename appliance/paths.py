"""The layout of the data directory, and its default location."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from appliance.errors import ConfigError

APP_NAME = "langfuse-local"


def default_data_dir() -> Path:
    """The default data directory: in the user's home, or in /var/lib for root, whose home others cannot enter.

    Raises ConfigError for a user without a home directory.
    """
    if os.name == "posix" and os.geteuid() == 0 and "XDG_DATA_HOME" not in os.environ and Path("/var/lib").is_dir():
        return Path("/var/lib") / APP_NAME
    try:
        return Path(platformdirs.user_data_dir(APP_NAME, appauthor=False))
    except RuntimeError as error:  # no HOME, and no entry in /etc/passwd
        raise ConfigError(
            "This user has no home directory.", hint="Set HOME, or LANGFUSE_LOCAL_DATA_DIR to where the data shall lie."
        ) from error


def default_config_file() -> Path | None:
    """`config.toml` in the user's config directory, None for a user without a home directory."""
    try:
        return Path(platformdirs.user_config_dir(APP_NAME, appauthor=False)) / "config.toml"
    except RuntimeError:
        return None


@dataclass(frozen=True, slots=True)
class DataDir:
    """The layout of one appliance's data directory."""

    root: Path

    @property
    def postgres(self) -> Path:
        return self.root / "postgres"

    @property
    def redis(self) -> Path:
        return self.root / "redis"

    @property
    def clickhouse(self) -> Path:
        return self.root / "clickhouse"

    @property
    def media(self) -> Path:
        return self.root / "media"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def run(self) -> Path:
        """Sockets and configuration files; can be deleted while nothing runs."""
        return self.root / "run"

    @property
    def secrets_file(self) -> Path:
        """Generated passwords and the first key pair, JSON, mode 0600."""
        return self.root / "secrets.json"

    @property
    def state_file(self) -> Path:
        """Ports, pids and their start times, JSON, written atomically."""
        return self.root / "state.json"

    @property
    def lock_file(self) -> Path:
        """Locked with flock by the running supervisor."""
        return self.root / "supervisor.lock"

    def log_file(self, service: str) -> Path:
        return self.logs / f"{service}.log"
