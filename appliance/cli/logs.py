"""`logs`: the log files of the services."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from appliance.cli.options import data_dir_option, settings_from
from appliance.errors import ConfigError, NotFound

if TYPE_CHECKING:
    from appliance.paths import DataDir

_FOLLOW_EVERY_S = 0.2


@click.command()
@click.argument("service", required=False)
@click.option("--follow", "-f", is_flag=True, help="Go on printing new lines until Ctrl-C.")
@click.option("--lines", "-n", default=100, show_default=True, type=click.IntRange(0), help="Last lines to print.")
@data_dir_option
def logs(service: str | None, follow: bool, lines: int, data_dir: Path | None) -> None:
    """Show the logs of one SERVICE or of all, also when nothing runs.

    \b
    Example:
      langfuse-local logs worker --follow
    """
    from appliance.data_dir.logfiles import LogFollower, last_lines
    from appliance.orchestrator.attached import is_attached
    from appliance.paths import DataDir

    settings = settings_from(data_dir=data_dir)
    if is_attached(settings):
        raise NotFound(
            f"The logs of {settings.attach_url} are kept where its processes were started.",
            hint="In containers: docker compose logs --follow, on the host.",
        )
    layout = DataDir(settings.data_dir)
    files = _files(layout, service)
    width = max(len(file.stem) for file in files)
    prefixes = {file: "" if service else f"{file.stem:<{width}} | " for file in files}
    followers = {file: LogFollower(file) for file in files}
    for file, prefix in prefixes.items():
        _print_lines(last_lines(file, lines), prefix)
    try:
        while follow:
            time.sleep(_FOLLOW_EVERY_S)
            for file, prefix in prefixes.items():
                _print_lines(followers[file].new_lines(), prefix)
    except KeyboardInterrupt:
        return


def _files(layout: DataDir, service: str | None) -> list[Path]:
    try:
        files = sorted(file for file in layout.logs.iterdir() if file.suffix == ".log")
    except (FileNotFoundError, NotADirectoryError):
        files = []
    except OSError as error:
        raise ConfigError(f"{layout.logs} cannot be read: {error.strerror}.", hint="Is it another user's?") from error
    if service is not None:
        matching = [file for file in files if file.stem == service]
        if not matching:
            names = ", ".join(file.stem for file in files) or "none yet"
            raise NotFound(f"There is no log of {service!r} in {layout.logs}.", hint=f"Logs: {names}.")
        return matching
    if not files:
        raise NotFound(f"There are no logs in {layout.logs}.", hint="Start the appliance: langfuse-local up --detach")
    return files


def _print_lines(lines: Iterable[str], prefix: str) -> None:
    for line in lines:
        click.echo(prefix + line)
