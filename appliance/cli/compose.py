"""`compose`: the settings of the compose files."""

from __future__ import annotations

from pathlib import Path

import click


@click.group("compose")
def compose_group() -> None:
    """Prepare the compose files, which run everything in containers.

    \b
    Example:
      langfuse-local compose init
      docker compose --project-directory compose up -d --wait
    """


@compose_group.command("init")
@click.option(
    "--dir",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("compose"),
    show_default=True,
    help="The directory of the compose files.",
)
@click.option("--external", is_flag=True, help="For docker-compose.external.yml: you fill in where the stores are.")
@click.option("--force", is_flag=True, help="Replace an .env that exists. Its passwords are lost.")
def init(folder: Path, external: bool, force: bool) -> None:
    """Write an .env with fresh random secrets, which only you can read.

    \b
    Example:
      langfuse-local compose init --dir compose
    """
    from appliance.errors import ConfigError
    from appliance.orchestrator.private_files import write_private
    from appliance.orchestrator.runtimes.docker.compose_env import env_text
    from appliance.orchestrator.secrets import generate_secrets

    target = folder / ".env"
    if target.exists() and not force:
        raise ConfigError(
            f"{target} exists.", hint="Its passwords belong to the volumes; --force replaces it all the same."
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_private(target, env_text(generate_secrets(), is_external=external))
    except OSError as error:
        raise ConfigError(f"{target} cannot be written: {error.strerror}.") from error
    click.echo(f"Wrote {target}.", err=True)
