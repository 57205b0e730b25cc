"""Serves the web application with uvicorn: one process, or several that share one socket."""

from __future__ import annotations

import contextlib
import os
import sys

import uvicorn
from starlette.applications import Starlette
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess

from appliance.calm_server import CalmServer
from appliance.config import Settings, load_settings, to_environ
from appliance.logs_setup import log_to_stderr
from appliance.model.services import USUAL_PORTS
from appliance.web.app import create_app
from appliance.web.context import require_addresses
from appliance.web.server.allocator import give_large_blocks_back
from appliance.web.server.bounded_http import BoundedHttp

_GRACE_S = 5


def make_app() -> Starlette:
    """The application with settings from the environment; called by each of several processes."""
    settings = load_settings()
    give_large_blocks_back()
    log_to_stderr(settings.log_level)
    return create_app(settings)


def serve(settings: Settings, fd: int | None = None, instance: str = "") -> None:
    """Serves until SIGTERM or SIGINT, then finishes open requests; raises ConfigError when a store has no address.

    `fd` is a socket that listens already; `instance` goes into a header of every answer.
    """
    require_addresses(settings)
    several = settings.web_workers > 1
    if several:  # they are spawned in this directory, and read their settings from the environment
        os.environ.update({**to_environ(settings), "PYTHONSAFEPATH": "1"})
    else:
        give_large_blocks_back()
        log_to_stderr(settings.log_level)
    config = uvicorn.Config(
        "appliance.web.server.serve:make_app" if several else create_app(settings),
        factory=several,
        host=settings.host,
        port=settings.port or USUAL_PORTS["web"],
        fd=fd,
        workers=settings.web_workers,
        loop="uvloop",
        http=BoundedHttp,
        ws="none",
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=_GRACE_S,
        backlog=2048,
        headers=[("X-Langfuse-Local-Instance", instance)] if instance else None,
    )
    server = CalmServer(config)
    with contextlib.suppress(KeyboardInterrupt):  # raised by uvicorn after an orderly stop
        if several:
            Multiprocess(config, sockets=[config.bind_socket()]).run()
        else:
            server.run()
    if not several and not server.started:
        sys.exit(STARTUP_FAILURE)
