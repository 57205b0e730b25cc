"""`down`: stop everything."""

from __future__ import annotations

from pathlib import Path

import click

from appliance.cli.options import ask_before_deleting, data_dir_option, settings_from


@click.command()
@data_dir_option
@click.option("--volumes", is_flag=True, help="Delete all data too.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask before deleting.")
def down(data_dir: Path | None, volumes: bool, yes: bool) -> None:
    """Stop what `up` started, in order. Data stays, unless --volumes.

    \b
    Example:
      langfuse-local down
    """
    from appliance.cli.up import show
    from appliance.orchestrator.up import remove_volumes, run_down
    from appliance.paths import DataDir

    layout = DataDir(settings_from(data_dir=data_dir).data_dir)
    delete_data = volumes and layout.root.is_dir()
    if delete_data and not yes:
        question = f"Delete all traces, prompts, datasets and keys in {layout.root}?"
        ask_before_deleting(question, otherwise="Nothing was stopped or deleted.")
    if not run_down(layout, show):
        click.echo(f"Nothing runs on {layout.root}.", err=True)
    if delete_data:
        remove_volumes(layout)
        click.echo(f"Deleted the data in {layout.root}.", err=True)
