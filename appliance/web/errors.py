"""Answers to errors (contract: server semantics 6.2); they show no internals to clients."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from appliance.api_types.errors import ApiError
from appliance.errors import (
    ApplianceError,
    Forbidden,
    InvalidData,
    Overloaded,
    QueryTooExpensive,
    RequestError,
    RequestTimedOut,
    StoreUnavailable,
    Unauthorized,
)
from appliance.web.responses import json_response

log = logging.getLogger(__name__)

# The reference server names the error of a refused key on these endpoints only.
_NAMED_AUTH_PATHS = ("/api/public/ingestion", "/api/public/v2/prompts", "/api/public/prompts")
_MESSAGE_ONLY_405 = "/api/public/projects"
_RETRY_AFTER_S = 2


def request_error(request: Request, error: Exception) -> Response:
    """The answer to a request that the API refuses."""
    assert isinstance(error, RequestError)
    body = ApiError(message=error.message)
    if isinstance(error, InvalidData):
        body.error = error.issues
    elif _has_name(request, error):
        body.error = error.name
    headers = None
    if isinstance(error, Overloaded):
        headers = {"Retry-After": str(error.retry_after_s)}
    elif isinstance(error, RequestTimedOut):  # the rest of the body may still come and is not read
        headers = {"Connection": "close"}
    return json_response(body, error.status, headers)


def store_unavailable(request: Request, error: Exception) -> Response:
    """503 that clients retry and that names the store; the reason goes to the log and to the health endpoint."""
    assert isinstance(error, StoreUnavailable)
    log.warning("%s %s: %s", request.method, request.scope["path"], error)
    body = ApiError(message=f"Service Unavailable: {error.in_short}")
    return json_response(body, 503, {"Retry-After": str(_RETRY_AFTER_S)})


def query_too_expensive(request: Request, error: Exception) -> Response:
    """422: ClickHouse gave up for time or memory."""
    message = "Your query could not be completed. Please narrow your request, for example by a shorter time range."
    return json_response(ApiError(message=message, error="Request timed out"), 422)


def unexpected_error(request: Request, error: Exception) -> Response:
    """500 for unexpected errors; Starlette logs them with their traceback afterwards."""
    reason = error.message if isinstance(error, ApplianceError) else "An unknown error occurred"
    return json_response(ApiError(message="Internal Server Error", error=reason), 500)


def http_error(request: Request, error: Exception) -> Response:
    """Unknown paths, wrong methods and the framework's other refusals, as JSON."""
    assert isinstance(error, HTTPException)
    path = request.scope["path"]
    if error.status_code == 404:
        body = ApiError(message=f"No endpoint at {path}", error="LangfuseNotFoundError")
    elif error.status_code == 405:
        body = ApiError(message="Method not allowed")
        if not path.startswith(_MESSAGE_ONLY_405):
            body.error = "MethodNotAllowedError"
    else:
        body = ApiError(message=error.detail)
    return json_response(body, error.status_code, error.headers)


def client_gone(request: Request, error: Exception) -> Response:
    """The client disconnected while sending; nobody reads this answer."""
    return Response(status_code=499)


def _has_name(request: Request, error: RequestError) -> bool:
    if isinstance(error, (Unauthorized, Forbidden)):
        return bool(request.scope["path"].startswith(_NAMED_AUTH_PATHS))
    return error.name is not None


def _on_the_loop(handler: Callable[[Request, Exception], Response]) -> Handler:
    """The same as a coroutine: Starlette gives plain functions to a thread, which costs more than the answer."""

    async def answer(request: Request, error: Exception) -> Response:
        return handler(request, error)

    return answer


Handler = Callable[[Request, Exception], Awaitable[Response]]

exception_handlers: Mapping[Any, Handler] = {
    RequestError: _on_the_loop(request_error),
    StoreUnavailable: _on_the_loop(store_unavailable),
    QueryTooExpensive: _on_the_loop(query_too_expensive),
    HTTPException: _on_the_loop(http_error),
    ClientDisconnect: _on_the_loop(client_gone),
    Exception: _on_the_loop(unexpected_error),
}
