"""The handle of a service that runs as a child process."""

from __future__ import annotations

from appliance.orchestrator.processes.child import Launcher, Process, ProcessSpec, describe_exit, stop_process


class ProcessHandle:
    """A started process and the spec that says how to stop it."""

    container: str | None = None

    def __init__(self, process: Process, spec: ProcessSpec) -> None:
        self._process = process
        self.spec = spec

    @property
    def pid(self) -> int | None:
        return self._process.pid

    async def wait(self) -> str:
        return describe_exit(await self._process.wait())

    async def stop(self) -> None:
        await stop_process(self._process, self.spec)


async def start_process(launcher: Launcher, spec: ProcessSpec) -> ProcessHandle:
    """Starts a process; raises RuntimeUnavailable."""
    return ProcessHandle(await launcher(spec), spec)
