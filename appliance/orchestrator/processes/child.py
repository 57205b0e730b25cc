"""Child processes: how to describe, start and stop them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Protocol

from appliance.data_dir.logfiles import Echo, RotatingLog
from appliance.errors import RuntimeUnavailable
from appliance.orchestrator.processes.privileges import Identity, child_setup

_PIPE_READ_BYTES = 64 * 1024
# With UTF-8: in the C locale Python cannot read its own path when a folder in it has letters beyond ASCII.
_LOCALE = "en_US.UTF-8" if sys.platform == "darwin" else "C.UTF-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessSpec:
    """One process to start; its output goes to `log`."""

    name: str
    argv: tuple[str, ...]
    log: Path
    environ: Mapping[str, str] = field(default_factory=dict)
    cwd: Path | None = None
    identity: Identity | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    grace_s: float = 10.0
    """Seconds between the stop signal and SIGKILL."""
    input: bytes = b""
    """What the child reads from standard input; less than a pipe holds (16 KB)."""
    pass_fds: tuple[int, ...] = ()
    """File descriptors that stay open in the child, under the same numbers."""


class Process(Protocol):
    """A started child."""

    @property
    def pid(self) -> int: ...

    async def wait(self) -> int:
        """Waits for the end; returns the exit status, negative for a signal."""

    def send(self, signal_number: int) -> None:
        """Sends a signal; does nothing when the process has ended."""


class Launcher(Protocol):
    """Starts processes; replaceable in tests."""

    async def __call__(self, spec: ProcessSpec) -> Process: ...


class ChildProcess:
    """A child in a session of its own, so that the terminal's Ctrl-C reaches only the supervisor."""

    def __init__(
        self, process: asyncio.subprocess.Process, output: asyncio.StreamReader, log: RotatingLog, echo: Echo | None
    ) -> None:
        self._process = process
        self._pump = asyncio.create_task(_pump(output, log, echo))

    @property
    def pid(self) -> int:
        return self._process.pid

    async def wait(self) -> int:
        code = await self._process.wait()
        # It led a process group of its own: what it left running is in that group.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        # A grandchild may outlive it and hold the pipe open: do not wait for ever.
        await asyncio.wait([self._pump], timeout=1)
        self._pump.cancel()
        return code

    def send(self, signal_number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal_number)


async def launch_process(spec: ProcessSpec, echo: BinaryIO | None = None) -> Process:
    """Starts a child whose output goes to its log and to `echo`; raises RuntimeUnavailable when it cannot start."""
    try:
        log = RotatingLog(spec.log)
        reading_end, writing_end = os.pipe()
        stdin = _input_pipe(spec)
        try:
            process = await asyncio.create_subprocess_exec(
                *spec.argv,
                stdin=stdin,
                stdout=writing_end,
                stderr=asyncio.subprocess.STDOUT,
                env=dict(spec.environ),
                cwd=spec.cwd,
                start_new_session=True,
                pass_fds=spec.pass_fds,
                preexec_fn=child_setup(spec.identity, spec.stop_signal),
            )
        except BaseException:
            os.close(reading_end)
            raise
        finally:
            os.close(writing_end)
            os.close(stdin)
    except OSError as error:
        raise RuntimeUnavailable(f"{spec.name} cannot be started: {error.strerror or error}.") from error
    return ChildProcess(process, await _reader(reading_end), log, Echo(spec.name, echo) if echo else None)


def _input_pipe(spec: ProcessSpec) -> int:
    """A descriptor from which the child reads its input and then end of file."""
    reading, writing = os.pipe()
    try:
        os.write(writing, spec.input)
    finally:
        os.close(writing)
    return reading


async def stop_process(process: Process, spec: ProcessSpec) -> int:
    """Sends the stop signal, and SIGKILL after the grace period; returns the exit status."""
    process.send(spec.stop_signal)
    try:
        return await asyncio.wait_for(asyncio.shield(asyncio.ensure_future(process.wait())), spec.grace_s)
    except TimeoutError:
        process.send(signal.SIGKILL)
        return await process.wait()


async def _reader(descriptor: int) -> asyncio.StreamReader:
    """A reader of our own: with asyncio's pipe, waiting for a child also waits for processes that inherited it."""
    stream = asyncio.StreamReader()
    pipe = os.fdopen(descriptor, "rb", 0)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(stream), pipe)
    return stream


async def _pump(stream: asyncio.StreamReader, log: RotatingLog, echo: Echo | None) -> None:
    try:
        while data := await stream.read(_PIPE_READ_BYTES):
            # A full disk must not stop the pump: the child would block on its pipe.
            with contextlib.suppress(OSError):
                log.write(data)
            if echo is not None:
                with contextlib.suppress(OSError):
                    echo.write(data)
    finally:
        log.close()


def describe_exit(code: int) -> str:
    """An exit status in words."""
    if code >= 0:
        return f"exited with code {code}"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"was ended by signal {-code}"


def inherited_environ() -> dict[str, str]:
    """The few environment variables that a store needs; none of the user's secrets."""
    names = ("PATH", "HOME", "TMPDIR", "LANG", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SSL_CERT_FILE", "SSL_CERT_DIR")
    return {"TZ": "UTC", "LC_ALL": _LOCALE, **{name: os.environ[name] for name in names if name in os.environ}}
