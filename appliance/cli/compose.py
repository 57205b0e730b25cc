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
@click.option("--force", is_flag=True, help="Replace what exists. Its passwords are lost.")
def init(folder: Path, external: bool, force: bool) -> None:
    """Write an .env, and fresh random secrets into a directory that only you can enter.

    \b
    Example:
      langfuse-local compose init --dir compose
    """
    from appliance.data_dir.private_files import write_private
    from appliance.data_dir.secrets import generate_secrets
    from appliance.errors import ConfigError
    from appliance.orchestrator.runtimes.docker.compose_env import SECRETS, env_text, secret_texts

    target, vault, fresh = folder / ".env", folder / SECRETS, generate_secrets()
    for path in (target, vault):
        if path.exists() and not force:
            raise ConfigError(
                f"{path} exists.", hint="Its passwords belong to the volumes; --force replaces it all the same."
            )
    try:
        vault.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name, text in secret_texts(fresh, is_external=external).items():
            write_private(vault / name, text)
            # The containers' users read the file itself; nobody else on this machine gets through the directory.
            (vault / name).chmod(0o444)
        write_private(target, env_text(fresh, is_external=external))
    except OSError as error:
        raise ConfigError(f"{error.filename} cannot be written: {error.strerror}.") from error
    click.echo(f"Wrote {target} and {vault}.", err=True)
