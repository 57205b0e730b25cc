"""Health and readiness, without a key; and the queue's state for those who have one (contract: 6.12)."""

from __future__ import annotations

import contextlib

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from appliance.api_types.health import ApiHealth, QueueState
from appliance.errors import RequestError, StoreUnavailable
from appliance.model.receipts import Receipts
from appliance.storage.redis.receipts import read_receipts
from appliance.web.auth import authorize
from appliance.web.health import HealthCheck
from appliance.web.params import bool_param
from appliance.web.responses import json_response
from appliance.web.state import context_of
from appliance.web.version import VERSION


async def get_health(request: Request) -> Response:
    """200 when data flows; else 503 with the reasons: without a key, they name neither addresses nor paths."""
    check = _check(request)
    health = await check.look()
    is_known = bool(health.reasons) and await _has_key(request)
    reasons = [reason.text if is_known else reason.in_short for reason in health.reasons]
    if bool_param(request, "failIfNoRecentEvents") and not reasons and not await check.has_recent_events():
        reasons.append("No trace has arrived within the last 3 minutes.")
    answer = _ready(request)
    if reasons:
        answer.status, answer.reasons = "Unavailable: " + " ".join(reasons), reasons
    answer.warnings, answer.dead_letters = health.warnings, health.queue.dead_letters
    return json_response(answer, 503 if reasons else 200)


async def get_ready(request: Request) -> Response:
    """200 as long as this process takes requests."""
    return json_response(_ready(request))


async def get_queue(request: Request) -> Response:
    """Backlog, disk and workers, as the terminal UI shows them."""
    await authorize(request)
    health = await _check(request).look()
    return json_response(QueueState(queue=health.queue, disk=health.disk, workers=health.workers))


async def get_receipts(request: Request) -> Response:
    """What became of this project's requests and their items: accepted, waiting, written, refused, dead, dropped."""
    auth = await authorize(request)
    context = context_of(request)
    receipts = await read_receipts(context.redis)
    return json_response(receipts.get(auth.project_id, Receipts()))


def _check(request: Request) -> HealthCheck:
    state = request.app.state
    if not hasattr(state, "health"):
        state.health = HealthCheck(context_of(request))
    check: HealthCheck = state.health
    return check


def _ready(request: Request) -> ApiHealth:
    """That requests are taken, and the version of Langfuse where clients look for it beside our own."""
    settings = context_of(request).settings
    return ApiHealth(status="OK", version=settings.api_version, langfuse_local_version=VERSION)


async def _has_key(request: Request) -> bool:
    with contextlib.suppress(RequestError, StoreUnavailable):
        await authorize(request)
        return True
    return False


ROUTES = [
    Route("/api/public/health", get_health),
    Route("/api/public/ready", get_ready),
    Route("/api/local/queue", get_queue),
    Route("/api/local/receipts", get_receipts),
]
