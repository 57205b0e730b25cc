"""Health and readiness, without a key; and the queue's state for those who have one (contract: 6.12)."""

from __future__ import annotations

import time

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from appliance.model.receipts import Receipts
from appliance.storage.redis.receipts import read_receipts
from appliance.web.auth import authorize
from appliance.web.context import Context
from appliance.web.health import HealthCheck
from appliance.web.paging import bool_param
from appliance.web.responses import json_response
from appliance.web.version import VERSION

_RECENT_US = 3 * 60 * 1_000_000


async def get_health(request: Request) -> Response:
    """200 when data flows; else 503 with the reasons."""
    context: Context = request.app.state.context
    found = await _check(request).look()
    reasons = list(found.reasons)
    if bool_param(request, "failIfNoRecentEvents") and not reasons and not await _has_recent_events(context):
        reasons.append("No trace has arrived within the last 3 minutes.")
    body: dict[str, object] = {"status": "OK", "version": VERSION}
    if reasons:
        body |= {"status": "Unavailable: " + " ".join(reasons), "reasons": reasons}
    if found.warnings:
        body["warnings"] = found.warnings
    if found.queue.dead_letters:
        body["deadLetters"] = found.queue.dead_letters
    return json_response(body, 503 if reasons else 200)


async def get_ready(request: Request) -> Response:
    """200 as long as this process takes requests."""
    return json_response({"status": "OK", "version": VERSION})


async def get_queue(request: Request) -> Response:
    """Backlog, disk and workers, as the terminal UI shows them."""
    await authorize(request)
    found = await _check(request).look()
    return json_response({"queue": found.queue, "disk": found.disk, "workers": found.workers})


async def get_receipts(request: Request) -> Response:
    """What became of this project's requests and their items: accepted, waiting, written, refused, dead, dropped."""
    auth = await authorize(request)
    context: Context = request.app.state.context
    receipts = await read_receipts(context.redis)
    return json_response(receipts.get(auth.project_id, Receipts()))


def _check(request: Request) -> HealthCheck:
    state = request.app.state
    if not hasattr(state, "health"):
        state.health = HealthCheck(state.context)
    check: HealthCheck = state.health
    return check


async def _has_recent_events(context: Context) -> bool:
    since = time.time_ns() // 1000 - _RECENT_US
    found: list[dict[str, int]] = await context.clickhouse.rows(
        "SELECT 1 AS one FROM observations_list WHERE start_time >= fromUnixTimestamp64Micro({since:Int64}) LIMIT 1",
        {"since": since},
        dict,
    )
    return bool(found)


routes = [
    Route("/api/public/health", get_health),
    Route("/api/public/ready", get_ready),
    Route("/api/local/queue", get_queue),
    Route("/api/local/receipts", get_receipts),
]
