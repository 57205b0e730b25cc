"""`env`: the variables that SDKs and OpenTelemetry exporters read."""

from __future__ import annotations

from pathlib import Path

import click

from appliance.cli.options import data_dir_option, settings_from
from appliance.cli.output import json_text
from appliance.errors import ConfigError, NotRunning
from appliance.model.client_variables import dotenv_lines, langfuse_variables, otlp_variables, shell_exports


@click.command()
@click.option(
    "--format", "output_format", type=click.Choice(["dotenv", "shell", "json"]), default="dotenv", show_default=True
)
@data_dir_option
def env(output_format: str, data_dir: Path | None) -> None:
    """Print the address and keys as environment variables.

    \b
    Example:
      eval "$(langfuse-local env --format shell)"
    """
    from appliance.data_dir.secrets import read_secrets
    from appliance.data_dir.state import read_state
    from appliance.orchestrator.attached import attached_url, is_attached
    from appliance.paths import DataDir

    settings = settings_from(data_dir=data_dir)
    if is_attached(settings) and settings.init.secret_key:
        values = variables(attached_url(settings), settings.init.public_key, settings.init.secret_key)
        click.echo(render_variables(values, output_format))
        return
    layout = DataDir(settings.data_dir)
    secrets = read_secrets(layout)
    if secrets is None:
        raise NotRunning(f"There is no appliance in {layout.root} yet.", hint="Start it: langfuse-local up --detach")
    if not secrets.secret_key:
        raise ConfigError(
            f"The secret key of {secrets.public_key} is not stored here: the database has only its hash.",
            hint="Use the secret key that it was created with, or start with another LANGFUSE_INIT_PROJECT_PUBLIC_KEY.",
        )
    state = read_state(layout)
    url = state.url or settings.public_url.rstrip("/") or f"http://localhost:{state.ports.get('web', 3000)}"
    if state.url is None:
        click.echo("Note: the appliance does not run now; its port may change.", err=True)
    values = variables(url, secrets.public_key, secrets.secret_key)
    if port := state.ports.get("otlp-grpc"):
        values["LANGFUSE_LOCAL_OTLP_GRPC_ENDPOINT"] = f"http://localhost:{port}"
    click.echo(render_variables(values, output_format))


def variables(url: str, public_key: str, secret_key: str) -> dict[str, str]:
    """Langfuse's variables, and those of OpenTelemetry exporters for the same server."""
    return langfuse_variables(url, public_key, secret_key) | otlp_variables(url, public_key, secret_key)


def render_variables(values: dict[str, str], output_format: str) -> str:
    """Variables as dotenv lines, as shell exports, or as JSON."""
    if output_format == "json":
        return json_text(values, indent=2)
    if output_format == "shell":
        return shell_exports(values)
    return dotenv_lines(values)
