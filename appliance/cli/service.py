"""`service`: keep the appliance running under systemd."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from appliance.cli.options import settings_from

if TYPE_CHECKING:
    from appliance.orchestrator.systemd.unit import Scope, Unit

DEFAULT_NAME = "langfuse-local"


def _unit_name(_ctx: click.Context, _parameter: click.Parameter, name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", name):
        raise click.BadParameter(f"{name!r} is not a valid name of a unit: letters, digits, `-`, `_` and `.` only.")
    return name


def scope_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--system`, `--user` and `--name`."""
    options = (
        click.option("--system", "scope", flag_value="system", help="A unit of the machine; root's default."),
        click.option("--user", "scope", flag_value="user", help="A unit of this user; everyone else's default."),
        click.option("--name", default=DEFAULT_NAME, show_default=True, callback=_unit_name, help="Name of the unit."),
    )
    for option in reversed(options):
        command = option(command)
    return command


@click.group("service")
def service_group() -> None:
    """Keep the appliance running under systemd: started at boot, restarted when it fails.

    \b
    Example:
      sudo langfuse-local service install --port 3000
      langfuse-local service status
    """


@service_group.command()
@scope_options
@click.option("--data-dir", type=click.Path(path_type=Path, file_okay=False), help="Directory of all data.")
@click.option("--runtime", type=click.Choice(["embedded", "docker", "external"]), help="How the stores run.")
@click.option("--port", type=click.IntRange(1, 65535), help="Port of web; without it 3000, or the next free one.")
@click.option("--host", help="Address that web listens on.")
@click.option("--workers", type=click.IntRange(1, 64), help="Number of worker processes.")
@click.option("--web-workers", type=click.IntRange(1, 64), help="Number of web processes behind the one port.")
@click.option("--run-as", default="", help="User that a system unit runs as; by default one is created for it.")
@click.option("--dry-run", is_flag=True, help="Print the unit and change nothing.")
def install(scope: Scope | None, name: str, dry_run: bool, run_as: str, **flags: Any) -> None:
    """Write the unit, enable it, start it and wait until the API answers.

    More settings come from /etc/langfuse-local/environment (a line NAME=value each) and
    /etc/langfuse-local/config.toml, for a user unit from the same files in ~/.config.

    \b
    Example:
      sudo langfuse-local service install --host 0.0.0.0 --port 3000
      langfuse-local service install --user --dry-run
    """
    from appliance.orchestrator.systemd import installation

    scope = scope or _own_scope()
    unit = _unit(scope, name, run_as, flags)
    if dry_run:
        click.echo(unit.text(), nl=False)
        return
    installation.require_systemd()
    _require_root(scope)
    if scope == "system":
        installation.require_readable(installation.package_paths(), unit.user)
    changed = installation.install(unit, installation.unit_directory(scope, _config_home()))
    state = installation.state_of(scope, name)
    click.echo(
        f"{state.unit} {'is installed' if changed else 'was installed already'} and {state.active}: {state.status}"
    )
    _print_paths(scope, unit)


@service_group.command()
@scope_options
def uninstall(scope: Scope | None, name: str) -> None:
    """Stop and remove the unit; the data stays.

    \b
    Example:
      sudo langfuse-local service uninstall
    """
    from appliance.orchestrator.systemd import installation

    scope = scope or _own_scope()
    installation.require_systemd()
    _require_root(scope)
    if installation.uninstall(scope, name, installation.unit_directory(scope, _config_home())):
        click.echo(f"{name}.service is removed. The data stays.")
    else:
        click.echo(f"{name}.service is not installed.")


@service_group.command()
@scope_options
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def status(scope: Scope | None, name: str, as_json: bool) -> None:
    """Show the state of the unit. The exit code is 0 only when it is active.

    \b
    Example:
      langfuse-local service status --json
    """
    from appliance.orchestrator.systemd import installation

    scope = scope or _own_scope()
    installation.require_systemd()
    state = installation.state_of(scope, name)
    if as_json:
        import msgspec

        click.echo(msgspec.json.format(msgspec.json.encode(asdict(state)), indent=2).decode())
    elif not state.file:
        click.echo(f"{state.unit} is not installed. Install it: langfuse-local service install --{scope}")
    else:
        for label, value in (
            ("Unit", state.file),
            ("State", f"{state.active}, {state.enabled}"),
            ("Since", state.since),
        ):
            click.echo(f"{label:<8}{value}")
        click.echo(f"{'Says':<8}{state.status or '(nothing)'}")
    if state.active != "active":
        sys.exit(1)


def _unit(scope: Scope, name: str, run_as: str, flags: dict[str, Any]) -> Unit:
    from appliance.data_dir.state import read_state
    from appliance.orchestrator.runtimes.factory import chosen_runtime
    from appliance.orchestrator.systemd.unit import SERVICE_USER, STATE_ROOT, Unit
    from appliance.paths import DataDir

    if run_as and scope == "user":
        raise click.UsageError("--run-as is for system units; a user unit runs as you.")
    settings = settings_from(**flags)
    data_dir = settings.data_dir if flags["data_dir"] or scope == "user" else STATE_ROOT / name
    options = {"--port": flags["port"], "--host": flags["host"]}
    options |= {"--workers": flags["workers"], "--web-workers": flags["web_workers"]}
    unit = Unit(
        scope=scope,
        name=name,
        python=Path(sys.executable),
        data_dir=data_dir,
        runtime=chosen_runtime(settings, read_state(DataDir(data_dir))),
        arguments=tuple(
            word for option, value in options.items() if value is not None for word in (option, str(value))
        ),
        user=run_as or SERVICE_USER,
    )
    if scope == "system" and not run_as and not unit.owns_state:
        raise click.UsageError(f"Outside {STATE_ROOT}, say whom it runs as: --run-as USER, who may write {data_dir}.")
    return unit


def _own_scope() -> Scope:
    return "system" if os.geteuid() == 0 else "user"


def _config_home() -> Path:
    from appliance.errors import ConfigError
    from appliance.paths import default_config_file

    if (file := default_config_file()) is None:
        raise ConfigError("This user has no home directory.", hint="Set HOME.")
    return file.parent.parent


def _require_root(scope: Scope) -> None:
    from appliance.errors import ConfigError

    if scope == "system" and os.geteuid() != 0:
        raise ConfigError("A system unit needs root.", hint="Run it with sudo, or make a user unit: --user.")


def _print_paths(scope: Scope, unit: Unit) -> None:
    sudo, mine = ("sudo ", "") if scope == "system" else ("", " --user")
    click.echo(f"Data    {unit.data_dir}")
    click.echo(f"Keys    {sudo}langfuse-local env --data-dir {unit.data_dir}")
    click.echo(f"Logs    {sudo}journalctl{mine} -u {unit.file_name}")
    if scope == "user":
        click.echo("It ends when you log out, unless: loginctl enable-linger")
