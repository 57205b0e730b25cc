"""The command group; it imports a command only when it is used, so that starting stays fast."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from typing import Any

import click

from appliance.cli.interrupts import Interrupted, ignore_signals
from appliance.cli.output import ReaderGone
from appliance.errors import ApplianceError

# name: module, attribute, the line that the list of commands shows.
_COMMANDS: dict[str, tuple[str, str, str]] = {
    "up": ("up", "up", "Start everything and print the URL and keys."),
    "down": ("down", "down", "Stop everything; data stays."),
    "status": ("status", "status", "Show every service, the queue and the disk."),
    "logs": ("logs", "logs", "Show the logs of a service."),
    "env": ("env", "env", "Print the variables that SDKs and exporters read."),
    "tui": ("tui", "tui", "Open the terminal UI here, or on any Langfuse server."),
    "traces": ("data.traces", "traces", "List traces."),
    "trace": ("data.trace", "trace", "Show one trace as a tree."),
    "sessions": ("data.sessions", "sessions", "List sessions."),
    "observations": ("data.observations", "observations", "List observations."),
    "scores": ("data.scores", "scores", "List scores."),
    "prompts": ("data.prompts", "prompts", "List prompts."),
    "datasets": ("data.datasets", "datasets", "List datasets."),
    "metrics": ("data.metrics", "metrics", "Count, sum and group."),
    "tail": ("data.tail", "tail", "Follow traces as they arrive."),
    "delete": ("delete", "delete", "Delete traces, sessions, scores or a project."),
    "jobs": ("jobs", "jobs", "List, cancel or retry background jobs."),
    "prune": ("jobs", "prune", "Apply retention now, or show what it would delete."),
    "dead-letters": ("dead_letters", "dead_letters", "List, replay or drop what could not be processed."),
    "doctor": ("doctor", "doctor", "Check this machine and say what to do."),
    "compose": ("compose", "compose_group", "Prepare the settings of the compose files."),
    "runtime": ("runtime", "runtime_group", "Move the data between the embedded stores and Docker's."),
    "service": ("service", "service_group", "Keep the appliance running under systemd."),
    "web": ("processes", "web", "Run one web process in the foreground."),
    "worker": ("processes", "worker", "Run one worker in the foreground."),
    "migrate": ("processes", "migrate", "Apply the migrations of both databases."),
}


class LazyGroup(click.Group):
    """Lists the commands by name, and imports one only to run it or show its help."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module, attribute, _ = _COMMANDS[cmd_name]
        command: click.Command = getattr(importlib.import_module(f"appliance.cli.{module}"), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, _, line) in _COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        """Runs the command; prints one line when a signal ends it, and exits with the code for that signal."""
        try:
            return super().invoke(ctx)
        except Interrupted as interrupted:
            ignore_signals()
            click.echo("Stopped.", err=True)
            ctx.exit(interrupted.exit_code)


def _print_version(ctx: click.Context, _parameter: click.Parameter, is_set: bool) -> None:
    if is_set:
        from importlib.metadata import version

        click.echo(f"langfuse-local {version('langfuse-local')}")
        ctx.exit()


@click.group(cls=LazyGroup, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_version, help="Show the version."
)
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Langfuse's traces, costs and dashboards on this machine, in the terminal.

    Without a command it opens the terminal UI, and starts the appliance first when it does not run.

    \b
    Example:
      langfuse-local up --detach
      eval "$(langfuse-local env --format shell)"
      langfuse-local
    """
    if ctx.invoked_subcommand is not None:
        return
    from appliance.cli.up import up

    ctx.invoke(up)


def run(arguments: Sequence[str] | None = None) -> int:
    """Runs a command line; returns 0 when done, 1 when failed, 2 for wrong usage. Prints errors as one sentence."""
    try:
        code = _code_of(arguments)
        sys.stdout.flush()
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return 2
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.exceptions.Abort:
        click.echo("Stopped.", err=True)
        return 1
    except ReaderGone:  # such as head, which read enough
        return 1
    except ApplianceError as error:
        click.echo(f"Error: {error}", err=True)
        return 1
    return code


def _code_of(arguments: Sequence[str] | None) -> int:
    try:
        code: Any = cli.main(args=list(arguments) if arguments is not None else None, standalone_mode=False)
    except SystemExit as done:
        code = done.code
    return code if isinstance(code, int) else 0
