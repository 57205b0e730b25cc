"""The handle of a service that runs as a container."""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from pathlib import Path

from appliance.data_dir.logfiles import RotatingLog
from appliance.errors import RuntimeUnavailable
from appliance.orchestrator.runtimes.docker.containers import ContainerEngine, ContainerFacts, Usage
from appliance.orchestrator.runtimes.docker.failures import describe_end

_LINES_OF_AN_END = 40
_FILE_TIME_GRAIN_S = 0.01
_USAGE_VALID_S = 10.0


class ContainerHandle:
    """A running container, whose output is copied to the service's log file."""

    pid: int | None = None

    def __init__(self, engine: ContainerEngine, facts: ContainerFacts, image: str, grace_s: int, log: Path) -> None:
        self._engine = engine
        self._facts = facts
        self._image = image
        self._grace_s = grace_s
        self._log = log
        self._usage = Usage(cpu_percent=0.0, rss_bytes=0)
        self._sampled_at = -math.inf
        self._sample: asyncio.Task[None] | None = None
        self._follower = asyncio.create_task(self._follow_log())

    @property
    def container(self) -> str:
        return self._facts.name

    async def wait(self) -> str:
        try:
            code = await self._engine.wait(self._facts.id)
            after = await self._engine.find(self._facts.id)
            lines = await self._engine.tail(self._facts.id, _LINES_OF_AN_END)
        except RuntimeUnavailable as error:
            return f"cannot be observed: {error}"
        await asyncio.wait([self._follower], timeout=1)
        self._follower.cancel()
        return describe_end(
            code,
            is_out_of_memory=after is not None and after.is_out_of_memory,
            memory_bytes=self._facts.memory_bytes,
            lines=lines,
            image=self._image,
        )

    async def stop(self) -> None:
        with contextlib.suppress(RuntimeUnavailable):  # without an engine wait() returns
            await self._engine.stop(self._facts.id, self._grace_s)

    async def measure(self) -> tuple[float, int]:
        """CPU in percent of one core since the last sample, and resident bytes, at most 10 s old.

        The engine takes a second to answer: frequent callers get the last sample at once, while the next is taken.
        Raises RuntimeUnavailable.
        """
        if self._sample is None or self._sample.done():
            self._sample = asyncio.create_task(self._take_sample())
            self._sample.add_done_callback(_hear)
        if time.monotonic() - self._sampled_at > _USAGE_VALID_S:
            await asyncio.shield(self._sample)
        return self._usage.cpu_percent, self._usage.rss_bytes

    async def _take_sample(self) -> None:
        self._usage = await self._engine.usage(self._facts.id)
        self._sampled_at = time.monotonic()

    async def _follow_log(self) -> None:
        try:
            seen_until = self._log.stat().st_mtime + _FILE_TIME_GRAIN_S
        except OSError:
            seen_until = 0.0
        log = RotatingLog(self._log)

        def write(chunk: bytes) -> None:
            with contextlib.suppress(OSError, ValueError):  # a full disk, or closed meanwhile
                log.write(chunk)

        try:
            await self._engine.follow(self._facts.id, seen_until, write)
        except RuntimeUnavailable as error:
            write(f"(the container's log cannot be followed: {error})\n".encode())
        finally:
            log.close()


def _hear(task: asyncio.Task[None]) -> None:
    """Retrieves a failure, so that asyncio does not log it; the next caller gets its own."""
    if not task.cancelled():
        task.exception()
