"""Live messages for the terminal UI: server-sent events with the ids of traces that just became readable."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from appliance.errors import StoreUnavailable
from appliance.storage.redis.live import Live
from appliance.web.auth import authorize
from appliance.web.context import Context

_SILENCE_S = 10.0
_COMMENT = b": alive\n\n"

Messages = AsyncGenerator[bytes | None, None]


async def watch_traces(request: Request) -> Response:
    """A stream of events whose data is a JSON list of trace ids; a comment every ten seconds keeps it open."""
    auth = await authorize(request)
    context: Context = request.app.state.context
    messages = Live(context.live_redis).messages(auth.project_id, silence_s=_SILENCE_S)
    headers = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
    return StreamingResponse(_events(messages, context.stopping), media_type="text/event-stream", headers=headers)


async def _events(messages: Messages, stopping: asyncio.Event) -> AsyncGenerator[bytes, None]:
    """Ends when the server stops or Redis goes away; the client connects again then."""
    stop = asyncio.create_task(stopping.wait())
    following: asyncio.Future[bytes | None] | None = None
    try:
        while not stop.done():
            following = asyncio.ensure_future(anext(messages))
            await asyncio.wait({following, stop}, return_when=asyncio.FIRST_COMPLETED)
            if following.done():
                message = following.result()
                yield _COMMENT if message is None else b"data: " + message + b"\n\n"
    except StoreUnavailable:
        return
    finally:
        for task in (stop, following):
            if task is not None:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError, StoreUnavailable):
                    await task
        await messages.aclose()


routes = [Route("/api/local/live", watch_traces)]
