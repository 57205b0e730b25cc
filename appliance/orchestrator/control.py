"""The supervisor's API on a unix socket: status, logs, start and stop of a service, stop of the appliance."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from appliance.calm_server import CalmServer
from appliance.data_dir.logfiles import LogFollower, last_lines
from appliance.errors import NotFound
from appliance.orchestrator.control_socket import choose_socket_path, open_control_socket, remove_socket
from appliance.orchestrator.supervisor import Event, RestartRequested, StartRequested, StopRequested

if TYPE_CHECKING:
    from appliance.orchestrator.appliance import Appliance

_FOLLOW_EVERY_S = 0.25
_REQUESTS: dict[str, Callable[[str], Event]] = {
    "start": StartRequested,
    "stop": StopRequested,
    "restart": RestartRequested,
}


def control_app(appliance: Appliance) -> Starlette:
    """The API over one appliance."""

    async def get_status(_request: Request) -> Response:
        return Response(msgspec.json.encode(await appliance.status()), media_type="application/json")

    async def get_logs(request: Request) -> Response:
        service = request.path_params["service"]
        lines = request.query_params.get("lines", "100")
        if service not in (*appliance.supervisor.services, "supervisor", "migrate") or not lines.isdigit():
            raise HTTPException(404, f"There is no log of {service!r}.")
        follow = request.query_params.get("follow") == "true"
        chunks = log_lines(appliance.data_dir.log_file(service), int(lines), follow=follow, until=appliance.stopping)
        return StreamingResponse(chunks, media_type="text/plain; charset=utf-8")

    async def post_service(request: Request) -> Response:
        kind = _REQUESTS.get(request.path_params["verb"])
        if kind is None:
            raise HTTPException(404, f"A service can be asked to {', '.join(_REQUESTS)}.")
        try:
            appliance.supervisor.request(kind(request.path_params["name"]))
        except NotFound as error:
            raise HTTPException(404, str(error)) from error
        return JSONResponse({"accepted": True}, status_code=202)

    async def post_down(_request: Request) -> Response:
        appliance.stopping.set()
        return JSONResponse({"accepted": True}, status_code=202)

    return Starlette(
        routes=[
            Route("/status", get_status),
            Route("/logs/{service}", get_logs),
            Route("/services/{name}/{verb}", post_service, methods=["POST"]),
            Route("/down", post_down, methods=["POST"]),
        ],
        exception_handlers={HTTPException: _refuse},
    )


async def log_lines(path: Path, count: int, *, follow: bool, until: asyncio.Event) -> AsyncIterator[str]:
    """The last `count` lines of a log, and with `follow` what is appended until `until` is set."""
    follower = LogFollower(path)
    for line in await asyncio.to_thread(last_lines, path, count):
        yield line + "\n"
    while follow and not until.is_set():
        for line in follower.new_lines():
            yield line + "\n"
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(until.wait(), _FOLLOW_EVERY_S)


class ControlServer(CalmServer):
    """A server that does not handle signals: the supervisor does."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextlib.asynccontextmanager
async def serve_control(appliance: Appliance) -> AsyncIterator[Path]:
    """Serves the API on a socket that only this user can open, while the block runs; yields its path."""
    path = choose_socket_path(appliance.data_dir)
    listener = open_control_socket(path)
    config = uvicorn.Config(
        control_app(appliance),
        log_config=None,
        access_log=False,
        lifespan="off",
        loop="none",
        timeout_graceful_shutdown=1,
    )
    server = ControlServer(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield path
    finally:
        server.should_exit = True
        await task
        remove_socket(path, appliance.data_dir)


async def _refuse(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return JSONResponse({"message": error.detail}, status_code=error.status_code)
