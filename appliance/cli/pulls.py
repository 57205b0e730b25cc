"""Shows the progress of image downloads: a bar per layer on a terminal, else a line per tenth of an image."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from appliance.cli.output import drawing_file

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from appliance.orchestrator.progress import PullProgress


class PullDisplay:
    """The display of all pulls of one start; `close` restores the terminal."""

    def __init__(self) -> None:
        self._image = ""
        self._progress: Progress | None = None
        self._layers: dict[str, TaskID] = {}
        self._tenths = 0

    @property
    def is_drawing(self) -> bool:
        return self._progress is not None

    def update(self, event: PullProgress) -> None:
        """Shows one event of a pull."""
        if event.image != self._image:
            self.close()
            self._image = event.image
            click.echo(f"          fetching {event.image}", err=True)
            if sys.stderr.isatty():
                self._progress = _new_progress()
                self._progress.start()
        if self._progress is None:
            self._say_tenth(event)
            return
        if not event.layer:
            return
        if event.layer not in self._layers:
            self._layers[event.layer] = self._progress.add_task(event.layer, total=None, status=event.status)
        is_done = event.status in ("Pull complete", "Already exists")
        # Unpacking counts from zero again: the bar shows the download, the status what happens.
        task = self._layers[event.layer]
        self._progress.update(task, status=event.status)
        if event.status == "Downloading" and event.layer_total_bytes:
            self._progress.update(task, completed=event.layer_bytes, total=event.layer_total_bytes)
        elif is_done and (total := self._progress.tasks[self._progress.task_ids.index(task)].total):
            self._progress.update(task, completed=total)

    def close(self) -> None:
        """Removes the bars, if there are any."""
        if self._progress is not None:
            self._progress.stop()
        self._progress, self._image, self._layers, self._tenths = None, "", {}, 0

    def _say_tenth(self, event: PullProgress) -> None:
        tenths = event.current_bytes * 10 // event.total_bytes if event.total_bytes else 0
        if tenths > self._tenths:
            self._tenths = tenths
            click.echo(
                f"          fetching {event.image}: {tenths * 10} % of {event.total_bytes / 1e6:.0f} MB,"
                f" {event.layers_done} of {event.layers_total} layers",
                err=True,
            )


def _new_progress() -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

    return Progress(
        TextColumn("          {task.description}"),
        BarColumn(bar_width=30),
        DownloadColumn(),
        TextColumn("{task.fields[status]}"),
        console=Console(file=drawing_file(sys.stderr)),
        transient=True,
    )
