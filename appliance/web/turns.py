"""Turns at ClickHouse for reads of lists and metrics: few at a time, and the same page once for all who wait for it.

Whoever cannot have a turn soon gets 503 with Retry-After, instead of a time-out after a minute. Prompts, projects and
whatever else Postgres answers take no turn, so they do not wait behind lists.
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
"""Reads of a kind that one web process has in hand; more at once make none of them quicker."""
WAIT_S: Final = 2.0
"""How long a read waits for its turn in a crowd."""
PATIENT_S: Final = 15.0
"""How long it waits when fewer than these are in line, such as those of one screen that slow reads hold up."""
MOST_PATIENT: Final = 8
_RETRY_AFTER_S: Final = 2

Handler = Callable[[Request], Awaitable[Response]]
Page = tuple[str, str, str, bytes]
"""Method, authorization header, path and query: who sends the same gets the same."""


class Turns:
    """The turns of one process, for one kind of reads: metrics may take long, and must not keep lists waiting."""

    def __init__(self, at_once: int = AT_ONCE, wait_s: float = WAIT_S, most_patient: int = MOST_PATIENT) -> None:
        self._free = asyncio.Semaphore(at_once)
        self._wait_s = wait_s
        self._most_patient = most_patient
        self._waiting: dict[Page, asyncio.Task[Response]] = {}
        """Reads that have not begun: who comes now may still share their answer."""
        self._begun: dict[Page, asyncio.Event] = {}

    async def read(self, page: Page, work: Callable[[], Awaitable[Response]]) -> Response:
        """The answer of `work`, which begins after this call and is shared by all who ask for the page until then.

        Raises Overloaded when there is no turn in time, and whatever `work` raises.
        """
        task = self._waiting.get(page)
        if task is None:
            wait_s = PATIENT_S if len(self._waiting) < self._most_patient else self._wait_s
            task = self._waiting[page] = asyncio.create_task(self._take_turn(page, work, wait_s))
            task.add_done_callback(_forget)
        return await asyncio.shield(task)

    async def _take_turn(self, page: Page, work: Callable[[], Awaitable[Response]], wait_s: float) -> Response:
        try:
            async with asyncio.timeout(wait_s):
                while page in self._begun:  # the same page once at a time
                    await self._begun[page].wait()
                await self._free.acquire()
        except TimeoutError:
            raise Overloaded("Too much is being read at once.", retry_after_s=_RETRY_AFTER_S) from None
        finally:
            del self._waiting[page]
        ended = self._begun[page] = asyncio.Event()
        try:
            return await work()
        finally:
            self._free.release()
            del self._begun[page]
            ended.set()


def _forget(task: asyncio.Task[Response]) -> None:
    if not task.cancelled():
        task.exception()  # everybody who waited may have left


Kind = Literal["lists", "metrics"]


def turns_by_kind() -> dict[Kind, Turns]:
    """Those of one application, to be found at `app.state.turns`."""
    return {"lists": Turns(), "metrics": Turns()}


def in_turn(kind: Kind, routes: Iterable[Route]) -> list[Route]:
    """The same routes, with a turn of this kind for every read."""
    return [Route(route.path, _in_turn(kind, route.endpoint), methods=list(route.methods or ())) for route in routes]


def _in_turn(kind: Kind, handler: Handler) -> Handler:
    @functools.wraps(handler)
    async def answer(request: Request) -> Response:
        if request.method not in ("GET", "HEAD"):
            return await handler(request)
        await authorize(request)  # strangers take no turn
        scope = request.scope
        who = request.headers.get("authorization", "")
        page = (request.method, who, scope["path"], scope["query_string"])
        turns: dict[Kind, Turns] = request.app.state.turns
        return await turns[kind].read(page, lambda: handler(request))

    return answer
