"""What the terminal UI remembers between runs, per server; losing it does no harm."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import msgspec
import platformdirs

from appliance.paths import APP_NAME


class Remembered(msgspec.Struct, kw_only=True):
    """Last screen, filters and looks."""

    screen: str = "traces"
    theme: str = ""
    """Empty for the one that suits the terminal."""
    time_range: str = "24h"
    trace_range: str = ""
    """Time range of the trace list; empty for all time."""
    query: str = ""
    order: str = "timestamp.desc"
    preview: bool = True
    history: list[str] = msgspec.field(default_factory=list)
    """Queries of the query bar, newest first."""


class StateFile:
    """One server's remembered state as a small JSON file."""

    def __init__(self, key: str, directory: Path | None = None) -> None:
        base = directory or _default_directory()
        self.path = base / f"{hashlib.sha256(key.encode()).hexdigest()[:16]}.json"

    def load(self) -> Remembered:
        """The remembered state, or the defaults when there is none that can be read."""
        try:
            return msgspec.json.decode(self.path.read_bytes(), type=Remembered)
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
            return Remembered()

    def save(self, state: Remembered) -> None:
        """Replaces the file in one step; an error is ignored, as losing the state does no harm."""
        draft = self.path.with_suffix(".new")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            draft.write_bytes(msgspec.json.encode(state))
            draft.replace(self.path)
        except OSError:
            return


def _default_directory() -> Path:
    try:
        return Path(platformdirs.user_state_dir(APP_NAME, appauthor=False)) / "tui"
    except RuntimeError:  # a user without a home directory: nothing is remembered
        return Path(os.devnull)
