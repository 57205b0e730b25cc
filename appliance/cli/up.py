"""`up`: start everything, in the foreground or detached."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING

import click

from appliance.cli.interrupts import Interrupted, defer_signals, ignore_signals
from appliance.cli.options import data_dir_option, settings_from
from appliance.cli.pulls import PullDisplay
from appliance.errors import AlreadyRunning, ApplianceError, StartFailed
from appliance.own_command import own_command

if TYPE_CHECKING:
    from appliance.config import Settings
    from appliance.orchestrator.progress import ProgressEvent
    from appliance.paths import DataDir

_PULLS = PullDisplay()
_LAST_LINES = 8
_RUNS_ALREADY = 3


@click.command()
@click.option(
    "--detach", "-d", is_flag=True, help="Return when the API answers; the appliance runs on in the background."
)
@click.option("--runtime", type=click.Choice(["embedded", "docker", "external"]), help="How the stores run.")
@click.option("--port", type=click.IntRange(1, 65535), help="Port of web; without it 3000, or the next free one.")
@click.option("--host", help="Address that web listens on.")
@data_dir_option
@click.option("--workers", type=click.IntRange(1, 64), help="Number of worker processes.")
@click.option("--web-workers", type=click.IntRange(1, 64), help="Number of web processes behind the one port.")
@click.option("--journal", is_flag=True, help="For a service manager: print every service's log, and no keys.")
@click.option("--show-keys", is_flag=True, help="Print the secret key also where the output is no terminal.")
@click.option("--otlp-grpc-port", type=click.IntRange(1, 65535), help="Also take OTLP over gRPC there, usually 4317.")
@click.option("--report-fd", type=int, hidden=True, help="Descriptor on which a detached start reports progress.")
def up(
    detach: bool,
    runtime: str | None,
    port: int | None,
    host: str | None,
    data_dir: Path | None,
    workers: int | None,
    web_workers: int | None,
    journal: bool,
    show_keys: bool,
    otlp_grpc_port: int | None,
    report_fd: int | None,
) -> None:
    """Start the stores, web and the workers; print the URL and the keys.

    Ctrl-C stops everything in order. When an appliance runs already, its URL is printed; if it has
    another port, host, runtime or number of processes than the options say, the exit code is 2.

    \b
    Example:
      langfuse-local up --detach --port 3000
    """
    flags = {
        "runtime": runtime,
        "port": port,
        "host": host,
        "workers": workers,
        "web_workers": web_workers,
        "otlp_grpc_port": otlp_grpc_port,
    }
    settings = settings_from(data_dir=data_dir, **flags)
    flags["host"] = settings.host if host else None
    try:
        if detach:
            _start_detached(settings, show_keys)
        elif journal:
            _run_for_service_manager(settings)
        else:
            _run_in_foreground(settings, report_fd, show_keys)
    except AlreadyRunning:
        if report_fd is not None:  # the detaching command prints the URL; here it would go to the log
            sys.exit(_RUNS_ALREADY)
        from appliance.cli.already_up import print_running_appliance

        print_running_appliance(settings, flags, show_keys=show_keys)


def _run_in_foreground(settings: Settings, report_fd: int | None, show_keys: bool) -> None:
    import asyncio

    from appliance.orchestrator.progress import Failed, Ready, encode
    from appliance.orchestrator.up import run_up

    pipe = os.fdopen(report_fd, "wb", buffering=0) if report_fd is not None else None

    def report(event: ProgressEvent) -> None:
        nonlocal pipe
        if pipe is None:
            show(event, show_keys=show_keys)
            return
        try:
            pipe.write(encode(event))
        except BrokenPipeError:  # the detaching command was killed; the start goes on
            pipe = None
            return
        if isinstance(event, Ready):
            pipe.close()
            pipe = None

    try:
        number = asyncio.run(run_up(settings, report))
    except AlreadyRunning:
        raise
    except ApplianceError as error:
        if pipe is not None:
            report(Failed(message=str(error)))
        raise
    if number is not None:
        raise Interrupted(number)


def _run_for_service_manager(settings: Settings) -> None:
    """Runs in the foreground for a service manager; prints no keys, as its log would keep them."""
    import asyncio
    from functools import partial

    from appliance.orchestrator.processes.child import launch_process
    from appliance.orchestrator.progress import Ready, StepDone
    from appliance.orchestrator.systemd.installation import notify
    from appliance.orchestrator.up import run_up

    def report(event: ProgressEvent) -> None:
        if isinstance(event, StepDone):
            click.echo(f"{event.seconds:6.2f} s  {event.text}", err=True)
        elif isinstance(event, Ready):
            click.echo(f"{event.seconds:6.2f} s  ready at {event.url}", err=True)
            notify(settings.notify_socket, f"READY=1\nSTATUS=Answers at {event.url}")

    number = asyncio.run(run_up(settings, report, partial(launch_process, echo=sys.stderr.buffer)))
    if number is not None:
        raise Interrupted(number)


def show(event: ProgressEvent, *, show_keys: bool = False) -> None:
    """Prints progress on stderr, and the result on stdout."""
    from appliance.cli.already_up import print_keys
    from appliance.orchestrator.progress import Failed, PullProgress, Ready

    if isinstance(event, PullProgress):
        _PULLS.update(event)
        return
    _PULLS.close()
    if isinstance(event, Failed):
        return
    if not isinstance(event, Ready):
        click.echo(f"{event.seconds:6.2f} s  {event.text}", err=True)
        return
    click.echo(f"{event.seconds:6.2f} s  ready", err=True)
    print_keys(event.url, event.public_key, event.secret_key, everywhere=show_keys)


def _start_detached(settings: Settings, show_keys: bool) -> None:
    """Starts another `up` in a session of its own, and shows its progress until it is ready."""
    from appliance.data_dir.first_start import remove_on_failure
    from appliance.data_dir.lock import is_locked, make_folders
    from appliance.paths import DataDir

    data_dir = DataDir(settings.data_dir)
    with remove_on_failure(data_dir):
        make_folders(data_dir)
        if is_locked(data_dir):
            raise AlreadyRunning("")
        _start_child_and_relay(settings, data_dir, show_keys)


def _start_child_and_relay(settings: Settings, data_dir: DataDir, show_keys: bool) -> None:
    from appliance.data_dir.logfiles import lines_since, size_of
    from appliance.data_dir.private_files import open_log

    reading, writing = os.pipe()
    path = data_dir.log_file("supervisor")
    before = size_of(path)
    with os.fdopen(open_log(path), "ab") as log, os.fdopen(reading, "rb") as lines:
        child: subprocess.Popen[bytes] | None = None
        try:
            with defer_signals():
                child = _start_child(settings, writing, log)
            os.close(writing)
            if not _relay(child, lines, show_keys):
                last = "".join(f"\n  {line}" for line in lines_since(path, before)[-_LAST_LINES:])
                raise StartFailed(f"The appliance ended while it started.{last}")
        except Interrupted:
            ignore_signals()  # stop the child before this process ends
            if child is not None:
                child.terminate()
                child.wait()
            raise


def _start_child(settings: Settings, report: int, log: IO[bytes]) -> subprocess.Popen[bytes]:
    from appliance.config import to_environ

    return subprocess.Popen(
        own_command("appliance", "up", "--report-fd", str(report)),
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        pass_fds=[report],
        start_new_session=True,
        env={**os.environ, **to_environ(settings)},
    )


def _relay(child: subprocess.Popen[bytes], lines: IO[bytes], show_keys: bool) -> bool:
    """Shows the child's progress until it is ready; False when it ended without an error message."""
    from appliance.orchestrator.progress import Failed, Ready, decode

    for line in lines:
        event = decode(line)
        if isinstance(event, Failed):
            child.wait()
            raise StartFailed(event.message)
        show(event, show_keys=show_keys)
        if isinstance(event, Ready):
            return True
    if child.wait() == _RUNS_ALREADY:
        raise AlreadyRunning("")  # another start was faster
    return False
