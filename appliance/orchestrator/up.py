"""The work of `up` and `down`."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import time

import psutil

from appliance.config import Settings, load_settings
from appliance.data_dir.disk_space import translate_error
from appliance.data_dir.first_start import remove_on_failure
from appliance.data_dir.lock import hold_lock, is_locked, make_folders
from appliance.data_dir.private_files import restrict_to_owner
from appliance.data_dir.state import State, read_state, write_state
from appliance.errors import ApplianceError, ConfigError, StartFailed
from appliance.model.services import STORE_NAMES
from appliance.orchestrator.appliance import Appliance, supervised
from appliance.orchestrator.control import serve_control
from appliance.orchestrator.control_socket import request_stop
from appliance.orchestrator.host.limits import raise_file_limit
from appliance.orchestrator.processes.child import Launcher, launch_process
from appliance.orchestrator.processes.stale import stop_stale_processes
from appliance.orchestrator.progress import Report, Timer
from appliance.orchestrator.running import FOREIGN_AFTER_S, require_supervisor, supervisor_of
from appliance.orchestrator.runtimes.docker.plans import IDENTITY_FILE
from appliance.paths import DataDir

_DOWN_TIMEOUT_S = 40.0
_POLL_S = 0.03


async def run_up(settings: Settings, report: Report, launcher: Launcher = launch_process) -> int | None:
    """Starts everything, waits for a request to stop, and stops everything. Raises ApplianceError.

    SIGINT, SIGTERM and SIGHUP begin the ordered stop at any moment; a second one during the stop changes nothing.
    Returns the signal that ended it, None when the request came through the control socket.
    """
    raise_file_limit()
    os.umask(0o077)  # the children inherit it
    data_dir = DataDir(settings.data_dir)
    appliance = Appliance(settings, report, launcher)
    received = _stop_on_signals(appliance.stopping)
    with remove_on_failure(data_dir):
        make_folders(data_dir)
        with hold_lock(data_dir):
            try:
                await _live(appliance)
            except (ApplianceError, OSError) as error:
                raise translate_error(error, data_dir) from error
    return received[0] if received else None


async def _live(appliance: Appliance) -> None:
    await appliance.prepare()
    async with supervised(appliance), serve_control(appliance) as control:
        appliance.state.control_socket = str(control)
        if await _unless_stopped(appliance):
            await appliance.stopping.wait()


async def _unless_stopped(appliance: Appliance) -> bool:
    """Starts; False when a request to stop came before the start was complete."""
    start = asyncio.create_task(appliance.start())
    stop = asyncio.create_task(appliance.stopping.wait())
    try:
        await asyncio.wait([start, stop], return_when=asyncio.FIRST_COMPLETED)
        if start.done():
            await start
            return True
        return False
    finally:
        for task in (start, stop):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, ApplianceError):
                await task


def _stop_on_signals(stopping: asyncio.Event) -> list[int]:
    """Sets `stopping` on each stop signal until the loop is closed; returns the list of received signals."""
    received: list[int] = []

    def note(number: int) -> None:
        received.append(number)
        stopping.set()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup
            asyncio.get_running_loop().add_signal_handler(number, note, number)
    return received


def run_down(data_dir: DataDir, report: Report) -> bool:
    """Stops the appliance of a data directory and waits for its end; False when nothing ran.

    Raises StartFailed after 40 s.
    """
    if not data_dir.root.is_dir():
        return False
    restrict_to_owner(data_dir.root)
    state = read_state(data_dir)
    timer = Timer()
    ran = is_locked(data_dir)
    if ran:
        _stop_supervisor(data_dir)
        report(timer.step("stopped the appliance"))
    with hold_lock(data_dir):
        stopped = stop_stale_processes(state.processes, data_dir)
        if state.runtime == "docker":
            from appliance.orchestrator.runtimes.docker.stale_containers import stop_stale_containers

            stopped += stop_stale_containers(data_dir, load_settings().docker)
        if stopped:
            report(timer.step(f"cleaned up after an interrupted start: {', '.join(stopped)}"))
        if not ran and (stopped or state.url):
            with contextlib.suppress(OSError):  # a read-only disk: it is enough that nothing runs any more
                write_state(data_dir, State(runtime=state.runtime, host=state.host, ports=state.ports))
    return ran or bool(stopped)


def remove_volumes(data_dir: DataDir) -> None:
    """Deletes all data of a stopped appliance; raises AlreadyRunning, or ConfigError when files cannot be deleted."""
    if not data_dir.root.is_dir():
        return
    with hold_lock(data_dir):
        if (data_dir.root / IDENTITY_FILE).exists():
            from appliance.orchestrator.runtimes.docker.stale_containers import remove_docker_resources

            remove_docker_resources(data_dir, load_settings().docker)
        try:
            for name in (*STORE_NAMES, "media", "logs", "run", "runtime"):
                folder = data_dir.root / name
                if folder.is_dir():
                    shutil.rmtree(folder)
            for file in (data_dir.secrets_file, data_dir.state_file, data_dir.lock_file):
                file.unlink(missing_ok=True)
        except OSError as error:
            raise ConfigError(f"{error.filename} cannot be deleted: {error.strerror}.") from error
    with contextlib.suppress(OSError):  # the user has other files there
        data_dir.root.rmdir()


def _stop_supervisor(data_dir: DataDir) -> None:
    """Asks the supervisor to stop, resumes it if it is suspended, and waits until its process has ended.

    Raises StartFailed when it does not end, ConfigError when something else holds the lock.
    """
    supervisor: psutil.Process | None = None
    began = time.monotonic()
    while is_locked(data_dir) or (supervisor is not None and _lives(supervisor)):
        waited = time.monotonic() - began
        if supervisor is None:  # one that has just begun saves its pid a moment later
            supervisor = supervisor_of(read_state(data_dir))
            if supervisor is not None:
                with contextlib.suppress(psutil.NoSuchProcess):
                    supervisor.send_signal(signal.SIGCONT)
                    if not request_stop(read_state(data_dir).control_socket):
                        supervisor.send_signal(signal.SIGTERM)
            elif waited > FOREIGN_AFTER_S:
                require_supervisor(data_dir)
        if waited > _DOWN_TIMEOUT_S:
            pid = f" (pid {supervisor.pid})" if supervisor is not None else ""
            raise StartFailed(
                f"The appliance on {data_dir.root} does not stop: its supervisor{pid} does not react.",
                hint="Kill it (kill -9), then run langfuse-local down, which ends the rest.",
            )
        time.sleep(_POLL_S)


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
