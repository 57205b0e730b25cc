"""Live messages for the terminal UI: server-sent events with the ids of traces that just became readable."""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import AsyncGenerator

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from appliance.errors import StoreUnavailable
from appliance.storage.redis.live import Message, Position
from appliance.web.auth import authorize
from appliance.web.state import context_of
from appliance.web.watchers import Watch, Watchers

_COMMENT = b": alive\n\n"

Messages = AsyncGenerator[Message | None, None]


class _Stream(StreamingResponse):
    """Ends its watch when it ends for any reason."""

    def __init__(self, watchers: Watchers, watch: Watch, stopping: asyncio.Event) -> None:
        headers = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
        super().__init__(_events(watch.messages(), stopping), media_type="text/event-stream", headers=headers)
        self._leave = functools.partial(watchers.leave, watch)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._leave()


async def watch_traces(request: Request) -> Response:
    """A stream of events whose data is a JSON list of trace ids; a comment every ten seconds keeps it open.

    The header Last-Event-ID says which event was read last: later ones are sent first. When those are no
    longer kept, the first event is a `gap`: only the list of traces shows what was missed.
    """
    auth = await authorize(request)
    context = context_of(request)
    last_id = request.headers.get("last-event-id")
    after = Position.parse(last_id) if last_id else None
    return _Stream(context.watchers, context.watchers.join(auth.project_id, after), context.stopping)


async def _events(messages: Messages, stopping: asyncio.Event) -> AsyncGenerator[bytes, None]:
    """Ends when the server stops or Redis goes away; the client connects again then."""
    stop = asyncio.create_task(stopping.wait())
    following: asyncio.Future[Message | None] | None = None
    try:
        while not stop.done():
            following = asyncio.ensure_future(anext(messages))
            await asyncio.wait({following, stop}, return_when=asyncio.FIRST_COMPLETED)
            if following.done():
                message = following.result()
                yield _COMMENT if message is None else _event(message)
    except StoreUnavailable:
        return
    finally:
        for task in (stop, following):
            if task is not None:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError, StoreUnavailable):
                    await task
        await messages.aclose()


def _event(message: Message) -> bytes:
    kind = b"event: gap\n" if message.is_gap else b""
    return b"%sid: %s\ndata: %s\n\n" % (kind, str(message.position).encode(), message.trace_ids)


ROUTES = [Route("/api/local/live", watch_traces)]
