"""`up` and `down`: the life of an appliance from the command line's view."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import time
from collections.abc import AsyncIterator

import psutil

from appliance.config import Settings
from appliance.errors import ApplianceError, ConfigError, StartFailed
from appliance.orchestrator.appliance import Appliance, supervised
from appliance.orchestrator.control import serve_control
from appliance.orchestrator.leftovers import end_leftovers, find
from appliance.orchestrator.lock import exclusive, is_held, make_folders
from appliance.orchestrator.state import State, read_state, write_state
from appliance.orchestrator.steps import Step, Tell, Timer
from appliance.paths import DataDir

_DOWN_TIMEOUT_S = 40.0
_POLL_S = 0.03


async def run_up(settings: Settings, tell: Tell) -> None:
    """Starts everything, stays until it is asked to stop, and stops everything. Raises ApplianceError.

    SIGINT, SIGTERM and SIGHUP at any moment begin the ordered stop; a second one while it runs changes nothing.
    """
    data_dir = DataDir(settings.data_dir)
    make_folders(data_dir)
    with exclusive(data_dir):
        appliance = Appliance(settings, tell)
        async with _stopped_by_signals(appliance.stopping):
            await appliance.prepare()
            async with supervised(appliance), serve_control(appliance) as control:
                appliance.state.control_socket = str(control)
                if await _unless_stopped(appliance):
                    await appliance.stopping.wait()


async def _unless_stopped(appliance: Appliance) -> bool:
    """Starts; False when it was asked to stop before that was done."""
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


@contextlib.asynccontextmanager
async def _stopped_by_signals(stopping: asyncio.Event) -> AsyncIterator[None]:
    loop = asyncio.get_running_loop()
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    for number in numbers:
        loop.add_signal_handler(number, stopping.set)
    try:
        yield
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)


def run_down(data_dir: DataDir, tell: Tell) -> bool:
    """Stops what runs on a data directory and waits for it; whether anything ran. Raises StartFailed after 40 s."""
    if not data_dir.root.is_dir():
        return False
    state = read_state(data_dir)
    timer = Timer()
    ran = is_held(data_dir)
    if ran:
        _stop_supervisor(data_dir, state)
        tell(Step(text="stopped the appliance", seconds=timer.seconds()))
        return True
    with exclusive(data_dir):
        ended = end_leftovers(state.processes, data_dir)
        if ended:
            tell(Step(text=f"ended what a killed start had left: {', '.join(ended)}", seconds=timer.seconds()))
        if ended or state.url:
            write_state(data_dir, State(runtime=state.runtime, host=state.host, ports=state.ports))
    return bool(ended)


def remove_volumes(data_dir: DataDir) -> None:
    """Deletes all data of a stopped appliance; raises ConfigError when it may not, or when it runs."""
    if not data_dir.root.is_dir():
        return
    with exclusive(data_dir):
        try:
            for name in ("postgres", "redis", "clickhouse", "media", "logs", "run", "runtime"):
                folder = data_dir.root / name
                if folder.is_dir():
                    shutil.rmtree(folder)
            for file in (data_dir.secrets_file, data_dir.state_file, data_dir.lock_file):
                file.unlink(missing_ok=True)
        except OSError as error:
            raise ConfigError(f"{error.filename} cannot be deleted: {error.strerror}.") from error
    with contextlib.suppress(OSError):  # something of the user's lies there too
        data_dir.root.rmdir()


def _stop_supervisor(data_dir: DataDir, state: State) -> None:
    supervisor = find(state.supervisor) if state.supervisor else None
    if supervisor is not None:
        with contextlib.suppress(psutil.NoSuchProcess):
            os.kill(supervisor.pid, signal.SIGTERM)
    deadline = time.monotonic() + _DOWN_TIMEOUT_S
    while is_held(data_dir):
        if time.monotonic() > deadline:
            raise StartFailed(
                f"The appliance on {data_dir.root} does not stop.", hint="See: langfuse-local logs supervisor"
            )
        time.sleep(_POLL_S)
