"""`status`: every service, the queue and the disk."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from appliance.cli.options import data_dir_option, settings_from
from appliance.cli.output import json_text
from appliance.errors import RemoteError
from appliance.model.printable import on_one_line

if TYPE_CHECKING:
    from appliance.model.receipts import Count, Receipts
    from appliance.model.services import ApplianceStatus, ServiceStatus

_ANSWER_S = 10.0
"""Seconds; a supervisor answers from memory, so one that takes longer hangs."""


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--receipts", "with_receipts", is_flag=True, help="Also count the requests of each project by outcome.")
@data_dir_option
def status(as_json: bool, with_receipts: bool, data_dir: Path | None) -> None:
    """Show every service. The exit code is 0 only when all is healthy.

    \b
    Example:
      langfuse-local status --json
      langfuse-local status --receipts
    """
    import msgspec

    appliance, problem = asyncio.run(_read_status(data_dir))
    if as_json:
        click.echo(json_text(msgspec.to_builtins(appliance), indent=2))
    elif not problem:
        _print(appliance)
        if with_receipts:
            _print_receipts(appliance.receipts)
    if problem:
        click.echo(problem, err=True)
    sys.exit(0 if appliance.healthy else 1)


async def _read_status(data_dir: Path | None) -> tuple[ApplianceStatus, str]:
    """The status, and one sentence about why the supervisor did not report it; empty when it did."""
    from appliance.client import ControlClient
    from appliance.data_dir.lock import is_locked
    from appliance.data_dir.state import read_state
    from appliance.orchestrator.attached import attached_status, is_attached
    from appliance.orchestrator.running import describe_silence, is_suspended, supervisor_of
    from appliance.orchestrator.status import stopped_status, unknown_status
    from appliance.paths import DataDir

    settings = settings_from(data_dir=data_dir)
    if is_attached(settings):
        return await attached_status(settings), ""
    layout = DataDir(settings.data_dir)
    state = read_state(layout)
    nothing = f"Nothing runs on {layout.root}. Start it: langfuse-local up --detach"
    if not is_locked(layout):
        return stopped_status(layout.root, state.runtime), nothing
    if is_suspended(state):
        return unknown_status(layout.root, state, describe_silence(state)), describe_silence(state)
    if state.control_socket is None:
        if supervisor_of(state) is None:
            return stopped_status(layout.root, state.runtime), nothing
        step = state.step or "it has just begun, or is stopping"
        return unknown_status(layout.root, state, step), f"The appliance on {layout.root} is not ready yet: {step}"
    client = ControlClient(Path(state.control_socket))
    try:
        async with asyncio.timeout(_ANSWER_S):
            return await client.status(), ""
    except (RemoteError, TimeoutError):
        return unknown_status(layout.root, state, describe_silence(state)), describe_silence(state)
    finally:
        await client.close()


def _print(appliance: ApplianceStatus) -> None:
    click.echo(f"{appliance.url}  {appliance.runtime}, data in {appliance.data_dir}")
    width = max([12, *(len(service.name) + 2 for service in appliance.services)])
    address_width = max([20, *(len(service.address or "") for service in appliance.services)])
    click.echo(
        f"{'SERVICE':<{width}}{'STATE':<10}{'PID':>8}  {'ADDRESS':<{address_width}}{'UP':>9}{'CPU':>7}{'MEMORY':>9}  "
    )
    for service in appliance.services:
        click.echo(_row(service, width, address_width))
    if appliance.otlp_grpc:
        click.echo(f"OTLP gRPC   {appliance.otlp_grpc}")
    queue, disk = appliance.queue, appliance.disk
    click.echo(f"queue       {queue.backlog} waiting, oldest {queue.oldest_s:.1f} s, {queue.dead_letters} dead letters")
    click.echo(f"disk        {disk.used_bytes / 1e6:.0f} MB used, {disk.free_bytes / 1e9:.1f} GB free")


def _print_receipts(receipts: Mapping[str, Receipts]) -> None:
    """Prints a row per project: requests by outcome, and in brackets their spans and events."""
    outcomes = ("accepted", "waiting", "written", "refused", "dead", "dropped")
    click.echo(f"{'PROJECT':<28}" + "".join(f"{outcome.upper():>20}" for outcome in outcomes))
    for project_id, counts in sorted(receipts.items()):
        columns: list[Count] = [getattr(counts, outcome) for outcome in outcomes]
        click.echo(f"{project_id:<28}" + "".join(f"{f'{count.requests} ({count.items})':>20}" for count in columns))


def _row(service: ServiceStatus, width: int, address_width: int) -> str:
    cpu = f"{service.cpu_percent:.1f}%" if service.cpu_percent is not None else ""
    memory = f"{service.rss_bytes / 1e6:.0f} MB" if service.rss_bytes is not None else ""
    health = "healthy" if service.healthy else (on_one_line(service.reason or "") or "not healthy")
    return (
        f"{service.name:<{width}}{service.state:<10}{service.pid or '':>8}  {service.address or '':<{address_width}}"
        f"{uptime(service.uptime_s):>9}{cpu:>7}{memory:>9}  {health}"
    )


def uptime(seconds: float | None) -> str:
    """Seconds in the two largest units: `42s`, `3m 5s`, `2h 10m`, `4d 1h`."""
    if seconds is None:
        return ""
    whole = int(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m {whole % 60}s"
    if whole < 86400:
        return f"{whole // 3600}h {whole % 3600 // 60}m"
    return f"{whole // 86400}d {whole % 86400 // 3600}h"
