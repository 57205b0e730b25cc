"""Limits reads of lists and metrics: few run at a time, and requests for the same page share one read.

A read that cannot begin soon gets 503 with Retry-After, instead of a time-out after a minute. Prompts, projects and
all else that Postgres answers are not limited, so they do not wait behind lists.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable, Iterable
from typing import Final, Literal

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from appliance.errors import Overloaded
from appliance.web.auth import authorize

AT_ONCE: Final = 4
"""Reads of a kind that one web process runs at a time; more would make none of them quicker."""
WAIT_S: Final = 2.0
"""Seconds that a read waits to begin when many wait."""
PATIENT_S: Final = 15.0
"""Seconds that it waits when fewer than `MOST_PATIENT` wait, such as the reads of one screen behind slow ones."""
MOST_PATIENT: Final = 8
_RETRY_AFTER_S: Final = 2

Handler = Callable[[Request], Awaitable[Response]]
Work = Callable[[], Awaitable[Response]]
RequestKey = tuple[str, str, str, bytes]
"""Method, authorization header, path and query: equal requests get the same answer."""


class ReadLimiter:
    """Limits one kind of reads in one process: metrics may take long, and must not keep lists waiting."""

    def __init__(self, at_once: int = AT_ONCE, wait_s: float = WAIT_S, most_patient: int = MOST_PATIENT) -> None:
        self._free = asyncio.Semaphore(at_once)
        self._wait_s = wait_s
        self._most_patient = most_patient
        self._waiting: dict[RequestKey, asyncio.Task[Response]] = {}
        """Reads that have not begun: later requests may still share their answer."""
        self._begun: dict[RequestKey, asyncio.Event] = {}

    async def read(self, key: RequestKey, work: Work) -> Response:
        """The answer of `work`, which begins after this call and is shared by equal requests until then.

        Raises Overloaded when it cannot begin in time, and whatever `work` raises.
        """
        task = self._waiting.get(key)
        if task is None:
            wait_s = PATIENT_S if len(self._waiting) < self._most_patient else self._wait_s
            task = self._waiting[key] = asyncio.create_task(self._read_when_free(key, work, wait_s))
            task.add_done_callback(_forget)
        # Shielded, because a client that leaves must not cancel the read that others wait for.
        return await asyncio.shield(task)

    async def _read_when_free(
        self, key: RequestKey, work: Callable[[], Awaitable[Response]], wait_s: float
    ) -> Response:
        try:
            async with asyncio.timeout(wait_s):
                while (
                    key in self._begun
                ):  # a read that has begun may miss newer data: a later equal one waits and runs again
                    await self._begun[key].wait()
                await self._free.acquire()
        except TimeoutError:
            raise Overloaded("Too much is being read at once.", retry_after_s=_RETRY_AFTER_S) from None
        finally:
            del self._waiting[key]
        ended = self._begun[key] = asyncio.Event()
        try:
            return await work()
        finally:
            self._free.release()
            del self._begun[key]
            ended.set()


def _forget(task: asyncio.Task[Response]) -> None:
    if not task.cancelled():
        task.exception()  # marks it as retrieved: all clients that waited may have left


ReadKind = Literal["lists", "metrics"]


def read_limiters() -> dict[ReadKind, ReadLimiter]:
    """Those of one application, kept at `app.state.read_limiters`."""
    return {"lists": ReadLimiter(), "metrics": ReadLimiter()}


def limited(kind: ReadKind, routes: Iterable[Route]) -> list[Route]:
    """The same routes, with every read limited."""
    return [Route(route.path, _limited(kind, route.endpoint), methods=list(route.methods or ())) for route in routes]


def _limited(kind: ReadKind, handler: Handler) -> Handler:
    @functools.wraps(handler)
    async def answer(request: Request) -> Response:
        if request.method not in ("GET", "HEAD"):
            return await handler(request)
        await authorize(request)  # requests without a key do not wait
        scope = request.scope
        credentials = request.headers.get("authorization", "")
        key = (request.method, credentials, scope["path"], scope["query_string"])
        limiters: dict[ReadKind, ReadLimiter] = request.app.state.read_limiters
        return await limiters[kind].read(key, lambda: handler(request))

    return answer
