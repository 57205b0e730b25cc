"""`runtime`: move the data between the embedded stores and Docker's."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import click

from appliance.cli.options import ask_before_deleting, data_dir_option, settings_from

if TYPE_CHECKING:
    from appliance.orchestrator.switch import ManagedRuntime

_NAME = click.argument("name", type=click.Choice(["docker", "embedded"]))


@click.group("runtime")
def runtime_group() -> None:
    """Move a stopped appliance, with all its data, between the embedded stores and Docker's.

    \b
    Example:
      langfuse-local down
      langfuse-local runtime switch docker
      langfuse-local up --detach
    """


@runtime_group.command()
@_NAME
@click.option("--replace", is_flag=True, help="Overwrite the data of an earlier move there.")
@data_dir_option
def switch(name: ManagedRuntime, replace: bool, data_dir: Path | None) -> None:
    """Copy all data to the other runtime, compare it, and use that runtime from now on; the old data stays.

    An interrupted move changes nothing; run it again.

    \b
    Example:
      langfuse-local runtime switch docker
    """
    from appliance.cli.up import show
    from appliance.orchestrator.switch import switch_runtime

    settings = settings_from(data_dir=data_dir)
    if not asyncio.run(switch_runtime(settings, name, show, replace=replace)):
        click.echo(f"{settings.data_dir} runs on {name} already.")
        return
    other = "embedded" if name == "docker" else "docker"
    click.echo(f"{settings.data_dir} runs on {name} from now on. Start it: langfuse-local up --detach")
    click.echo(f"The old data is still there. Delete it: langfuse-local runtime forget {other}")


@runtime_group.command()
@_NAME
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@data_dir_option
def forget(name: ManagedRuntime, yes: bool, data_dir: Path | None) -> None:
    """Delete the data in the runtime that is no longer used.

    \b
    Example:
      langfuse-local runtime forget embedded --yes
    """
    from appliance.orchestrator.switch import forget as forget_runtime

    settings = settings_from(data_dir=data_dir)
    if not yes:
        ask_before_deleting(f"Delete what the {name} runtime has stored for {settings.data_dir}?")
    existed = forget_runtime(settings, name)
    click.echo(f"The data of the {name} runtime is deleted." if existed else f"The {name} runtime holds no data here.")
