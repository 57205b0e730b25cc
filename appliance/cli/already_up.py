"""A second `up` on a data directory: waits for the first one, prints its address, refuses flags that differ."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from appliance.errors import StartFailed

if TYPE_CHECKING:
    from appliance.config import Settings
    from appliance.data_dir.state import State
    from appliance.paths import DataDir

_STANDS_STILL_S = 120.0
"""Seconds; longer than any step of a start: a store has a minute, migrations report every ten seconds."""
_POLL_S = 0.05


def print_keys(url: str, public_key: str, secret_key: str, *, everywhere: bool = False) -> None:
    """Prints the address and the keys; the secret key only on a terminal or if `everywhere`, as logs keep it."""
    click.echo(f"URL         {url}")
    if not public_key:
        return
    click.echo(f"Public key  {public_key}")
    if not secret_key:
        click.echo("Secret key  (not stored here: use the one the key was created with)")
    elif everywhere or sys.stdout.isatty():
        click.echo(f"Secret key  {secret_key}")
    else:
        click.echo("Secret key  (langfuse-local env prints it)")


def print_running_appliance(settings: Settings, flags: Mapping[str, object], *, show_keys: bool = False) -> None:
    """Prints the address and keys of the appliance that runs on the data directory.

    `flags` are the options of this command by name, None for omitted ones. Raises click.UsageError when the running
    appliance has other values, and StartFailed when it does not become ready.
    """
    from appliance.data_dir.secrets import read_secrets
    from appliance.data_dir.state import read_state
    from appliance.paths import DataDir

    data_dir = DataDir(settings.data_dir)
    _wait_for_other_start(data_dir)
    state, secrets = read_state(data_dir), read_secrets(data_dir)
    _require_same_flags(data_dir, state, flags)
    click.echo(f"Already running on {data_dir.root}.", err=True)
    public_key, secret_key = (secrets.public_key, secrets.secret_key) if secrets else ("", "")
    print_keys(str(state.url), public_key, secret_key, everywhere=show_keys)


def _require_same_flags(data_dir: DataDir, state: State, flags: Mapping[str, object]) -> None:
    running = {
        "runtime": state.runtime,
        "port": state.ports.get("web"),
        "host": state.host,
        "workers": state.workers,
        "web_workers": state.web_workers,
        "otlp_grpc_port": state.ports.get("otlp-grpc"),
    }
    different = [name for name, value in flags.items() if value is not None and value != running[name]]
    if not different:
        return
    words = " ".join(f"{_flag(name)} {flags[name]}" for name in different)
    now = ", ".join(
        f"{_flag(name)} {running[name]}" if running[name] is not None else f"no {_flag(name)}" for name in different
    )
    raise click.UsageError(
        f"An appliance runs on {data_dir.root} already, with {now}. To change that: "
        f"langfuse-local down, then langfuse-local up {words}. For one more beside it, give another --data-dir."
    )


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _wait_for_other_start(data_dir: DataDir) -> None:
    """Waits until the running start has a URL, as long as it makes progress.

    Prints its steps. Raises StartFailed when it ends or makes no progress.
    """
    from appliance.data_dir.lock import is_locked
    from appliance.data_dir.state import read_state
    from appliance.orchestrator.running import FOREIGN_AFTER_S, describe_silence, is_suspended, require_supervisor

    printed, written_at, moved_at = None, 0, time.monotonic()
    if is_suspended(read_state(data_dir)):
        raise StartFailed(describe_silence(read_state(data_dir)))
    while (state := read_state(data_dir)).url is None:
        if not is_locked(data_dir):
            raise StartFailed(
                "The appliance that was starting here has ended.", hint="Start it to see why: langfuse-local up"
            )
        # A rewritten state file is progress, also within one step.
        if (changed := _changed_at(data_dir)) != written_at:
            written_at, moved_at = changed, time.monotonic()
        if state.step != printed and state.step:
            printed = state.step
            click.echo(f"Waiting for the start that is under way: {printed}", err=True)
        if time.monotonic() - moved_at > FOREIGN_AFTER_S:
            require_supervisor(data_dir)
        if time.monotonic() - moved_at > _STANDS_STILL_S:
            raise StartFailed(
                f"The appliance on {data_dir.root} is still starting or stopping.", hint="See: langfuse-local status"
            )
        time.sleep(_POLL_S)


def _changed_at(data_dir: DataDir) -> int:
    """When the state file was written, in nanoseconds since the epoch; 0 when there is none."""
    try:
        return data_dir.state_file.stat().st_mtime_ns
    except OSError:
        return 0
