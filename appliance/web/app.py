"""The web application: routes, middleware, and the life of the stores' clients."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

from appliance.config import Settings
from appliance.web.api import trace_links
from appliance.web.context import Context, create_context
from appliance.web.errors import exception_handlers
from appliance.web.links import prefix_of
from appliance.web.memory_budget import LimitMemory
from appliance.web.rawpath import RawPath
from appliance.web.read_limiter import read_limiters
from appliance.web.routes import ROUTES
from appliance.web.server.stopping import set_on_stop_signal

_PREFLIGHT_VALID_S = 3600


def create_app(settings: Settings, context: Context | None = None) -> Starlette:
    """The ASGI application; `context` replaces the real stores in tests. Raises ConfigError at start."""

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        if context is not None:
            yield
            return
        app.state.context = create_context(settings)
        try:
            await app.state.context.open()
            set_on_stop_signal(app.state.context.stopping)
            async with _grpc_server(app.state.context):
                yield
        finally:
            await app.state.context.close()

    cors = Middleware(
        CORSMiddleware,
        allow_origins=["*"],
        allow_methods=["*"],
        allow_headers=["*"],
        max_age=_PREFLIGHT_VALID_S,
    )
    app = Starlette(
        routes=[*ROUTES, *trace_links.ROUTES],
        middleware=[
            Middleware(RawPath, prefix=prefix_of(settings.public_url)),
            Middleware(LimitMemory, capacity=settings.ingestion.max_inflight_bytes),
            cors,
        ],
        exception_handlers=dict(exception_handlers),
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False
    app.state.read_limiters = read_limiters()
    if context is not None:
        app.state.context = context
    return app


@contextlib.asynccontextmanager
async def _grpc_server(context: Context) -> AsyncIterator[None]:
    """OTLP over gRPC where it is enabled; its library is not imported otherwise."""
    settings = context.settings
    if not settings.otlp_grpc_port:
        yield
        return
    from appliance.web.otlp_grpc import serving

    async with serving(context, settings.host, settings.otlp_grpc_port):
        yield
