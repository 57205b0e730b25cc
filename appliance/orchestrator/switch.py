"""Moves the data of a stopped appliance from one runtime to another: copies it, compares it, then switches over.

The old data stays as it is until `forget`. Until the last step the appliance uses the old runtime, so an
interrupted move can be repeated.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import shutil
from collections.abc import AsyncIterator, Iterator
from typing import Literal

import msgspec

from appliance.config import Settings
from appliance.data_dir.lock import hold_lock
from appliance.data_dir.private_files import restrict_to_owner
from appliance.data_dir.secrets import Secrets, ensure_secrets, with_secrets
from appliance.data_dir.state import State, read_state, write_state
from appliance.errors import AlreadyRunning, ConfigError, RuntimeUnavailable, StartFailed
from appliance.model.services import STORE_NAMES
from appliance.orchestrator.host.ports import MOST_PORT_CHANGES, lost_ports
from appliance.orchestrator.processes.child import launch_process
from appliance.orchestrator.processes.stale import mark_processes, stop_stale_processes
from appliance.orchestrator.progress import Report, Timer
from appliance.orchestrator.runtimes.contract import Runtime
from appliance.orchestrator.runtimes.docker.plans import IDENTITY_FILE
from appliance.orchestrator.runtimes.factory import open_runtime
from appliance.orchestrator.supervisor import StartRequested, Supervisor
from appliance.paths import DataDir

ManagedRuntime = Literal["embedded", "docker"]

START_TIMEOUT_S = 120.0
_SPARE = 1.2
"""Disk space that a copy may need, as a factor of the size of its source."""


async def switch_runtime(settings: Settings, to: ManagedRuntime, report: Report, *, replace: bool = False) -> bool:
    """Copies all data to the runtime `to` and makes it the one that starts; False when it is already.

    `replace` allows overwriting older data there. Raises AlreadyRunning while the appliance
    runs, ConfigError, CopyFailed, RuntimeUnavailable, StartFailed and StoreUnavailable.
    """
    data_dir = DataDir(settings.data_dir)
    if not data_dir.root.is_dir():
        raise ConfigError(
            f"There is no data in {data_dir.root}.", hint=f"Begin there: langfuse-local up --runtime {to}"
        )
    with _stopped(data_dir):
        state = read_state(data_dir)
        if state.runtime == to:
            return False
        if state.runtime == "external":
            raise ConfigError("The stores of the external runtime are not ours to move.")
        await asyncio.to_thread(stop_stale_processes, state.processes, data_dir)
        secrets = ensure_secrets(data_dir, settings)
        settings = with_secrets(settings, secrets)
        old = dataclasses.replace(settings, runtime=state.runtime)
        new = dataclasses.replace(settings, runtime=to)
        await _fetch_images(new, state, data_dir, secrets, report)
        async with (
            _running(old, state, data_dir, secrets, report) as source,
            _running(new, state, data_dir, secrets, report) as target,
        ):
            await _refuse_to_overwrite(target, to, data_dir, may=replace or state.moving_to == to)
            await asyncio.to_thread(_require_disk_space, source, to, data_dir)
            state.moving_to = to
            write_state(data_dir, state)
            await _copy(source, target, report)
        write_state(data_dir, State(runtime=to, host=state.host, ports=state.ports))
    return True


def forget(settings: Settings, name: ManagedRuntime) -> bool:
    """Deletes the data of a runtime that is not in use; False when there was none. Raises ConfigError."""
    data_dir = DataDir(settings.data_dir)
    if not data_dir.root.is_dir():
        return False
    with _stopped(data_dir):
        if read_state(data_dir).runtime == name:
            raise ConfigError(
                f"{data_dir.root} runs on {name}.", hint="To delete all its data: langfuse-local down --volumes"
            )
        if name == "docker":
            from appliance.orchestrator.runtimes.docker.stale_containers import remove_docker_resources

            existed = (data_dir.root / IDENTITY_FILE).exists()
            remove_docker_resources(data_dir, settings.docker)
            return existed
        folders = [folder for store in STORE_NAMES if (folder := data_dir.root / store).is_dir()]
        try:
            for folder in folders:
                shutil.rmtree(folder)
        except OSError as error:
            raise ConfigError(f"{error.filename} cannot be deleted: {error.strerror}.") from error
        return bool(folders)


@contextlib.contextmanager
def _stopped(data_dir: DataDir) -> Iterator[None]:
    restrict_to_owner(data_dir.root)
    try:
        with hold_lock(data_dir):
            yield
    except AlreadyRunning as error:
        raise AlreadyRunning(error.message, hint="Stop it first: langfuse-local down") from None


async def _fetch_images(settings: Settings, state: State, data_dir: DataDir, secrets: Secrets, report: Report) -> None:
    """Fetches what a runtime needs before anything is started; raises RuntimeUnavailable and ConfigError."""
    untouched = msgspec.structs.replace(state, ports=dict(state.ports))
    runtime = await open_runtime(settings, untouched, data_dir, secrets, launch_process)
    try:
        await runtime.prepare(report)
    finally:
        await runtime.close()


@contextlib.asynccontextmanager
async def _running(
    settings: Settings, state: State, data_dir: DataDir, secrets: Secrets, report: Report
) -> AsyncIterator[Settings]:
    """Runs the stores of a runtime, migrated to this version, while the block runs; yields settings for them."""
    from appliance.storage.setup import prepare

    supervisor = Supervisor(on_change=lambda: None)
    loop = asyncio.create_task(supervisor.run())
    avoid: set[int] = set()
    try:
        for attempt in range(1, MOST_PORT_CHANGES + 1):
            runtime = await open_runtime(
                settings, state, data_dir, secrets, mark_processes(launch_process, data_dir), avoid=avoid
            )
            async with contextlib.aclosing(_Stores(runtime, supervisor)) as started:
                try:
                    await started.start(report)
                except (StartFailed, RuntimeUnavailable) as error:
                    await started.stop()
                    taken = lost_ports(error, runtime.shared_ports)
                    if not taken or attempt == MOST_PORT_CHANGES:
                        raise
                    avoid |= taken
                    continue
                connected = runtime.connect(settings)
                await prepare(connected, lambda _text: None)
                yield connected
                return
    finally:
        loop.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await loop


@dataclasses.dataclass(frozen=True, slots=True)
class _Stores:
    """The stores of a runtime under a supervisor."""

    runtime: Runtime
    supervisor: Supervisor

    async def start(self, report: Report) -> None:
        """Starts them and waits until they answer; raises StartFailed and RuntimeUnavailable."""
        timer = Timer()
        await self.runtime.prepare(report)
        for store in self.runtime.stores:
            self.supervisor.add(store)
            self.supervisor.request(StartRequested(store.name))
        for store in self.runtime.stores:
            await self.supervisor.wait_healthy(store.name, START_TIMEOUT_S)
        report(timer.step(f"the stores of the {self.runtime.name} runtime answer"))

    async def stop(self) -> None:
        """Stops those that run."""
        names = [store.name for store in reversed(self.runtime.stores)]
        await self.supervisor.stop([name for name in names if name in self.supervisor.services])

    async def aclose(self) -> None:
        """Stops those that run, and closes the runtime's connections."""
        await self.stop()
        await self.runtime.close()


async def _refuse_to_overwrite(target: Settings, name: ManagedRuntime, data_dir: DataDir, *, may: bool) -> None:
    from appliance.storage.clickhouse import copying as clickhouse
    from appliance.storage.postgres import copying as postgres

    if may:
        return
    if (
        await asyncio.to_thread(clickhouse.has_rows, target.clickhouse)
        or await postgres.has_rows(target.postgres)
        or await _redis_holds_anything(target)
    ):
        raise ConfigError(
            f"The {name} runtime of {data_dir.root} holds data already, of an earlier time.",
            hint=f"Delete it (langfuse-local runtime forget {name}) or add --replace.",
        )


async def _redis_holds_anything(settings: Settings) -> bool:
    from appliance.storage.redis.client import connect
    from appliance.storage.redis.copying import holds_anything

    redis = connect(settings.redis)
    try:
        return await holds_anything(redis)
    finally:
        await redis.aclose()


def _require_disk_space(source: Settings, to: ManagedRuntime, data_dir: DataDir) -> None:
    from appliance.storage.clickhouse import copying as clickhouse

    if to != "embedded":
        return  # the volumes are on Docker's disk; it reports when that is full
    needed = int(clickhouse.stored_bytes(source.clickhouse) * _SPARE)
    free = shutil.disk_usage(data_dir.root).free
    if needed > free:
        raise ConfigError(
            f"The copy needs about {needed / 1e9:.1f} GB in {data_dir.root}, where {free / 1e9:.1f} GB are free."
        )


async def _copy(source: Settings, target: Settings, report: Report) -> None:
    await _copy_postgres(source, target, report)
    await _copy_clickhouse(source, target, report)
    await _copy_redis(source, target, report)


async def _copy_postgres(source: Settings, target: Settings, report: Report) -> None:
    from appliance.storage.postgres.copying import copy_tables

    timer = Timer()
    copied = await copy_tables(source.postgres, target.postgres)
    text = f"Postgres: {sum(copied.values())} rows in {len(copied)} tables copied and compared"
    report(timer.step(text))


async def _copy_clickhouse(source: Settings, target: Settings, report: Report) -> None:
    from appliance.storage.clickhouse.copying import copy_tables

    timer, loop = Timer(), asyncio.get_running_loop()

    def report_rows(table: str, rows: int, total: int) -> None:
        step = timer.step(f"ClickHouse: {rows:,} of {total:,} rows of {table}")
        loop.call_soon_threadsafe(report, step)

    copied = await asyncio.to_thread(copy_tables, source.clickhouse, target.clickhouse, report_rows)
    text = f"ClickHouse: {sum(copied.values()):,} rows in {len(copied)} tables copied and compared"
    report(timer.step(text))


async def _copy_redis(source: Settings, target: Settings, report: Report) -> None:
    from appliance.storage.redis.client import connect
    from appliance.storage.redis.copying import copy_keys

    timer = Timer()
    old, new = connect(source.redis), connect(target.redis)
    try:
        keys = await copy_keys(old, new)
    finally:
        await old.aclose()
        await new.aclose()
    report(timer.step(f"Redis: {keys} keys copied and compared"))
