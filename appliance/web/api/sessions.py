"""GET /sessions and /sessions/{id} (contract: server semantics 6.6)."""

from __future__ import annotations

import asyncio

from msgspec.structs import asdict
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from appliance.api_types.pages import ApiPage
from appliance.api_types.sessions import ApiSession, ApiSessionDetail
from appliance.errors import NotFound
from appliance.queries.sessions import session_traces
from appliance.storage.clickhouse import sessions
from appliance.storage.clickhouse.sessions import Session, SessionQuery
from appliance.web.api.traces import api_trace
from appliance.web.auth import authorize
from appliance.web.filter_params import conditions_from
from appliance.web.params import page_params
from appliance.web.responses import iso_micros, json_response
from appliance.web.state import context_of


async def list_page(request: Request) -> Response:
    """A page of sessions, the youngest first."""
    auth = await authorize(request)
    page = page_params(request)
    query = SessionQuery(
        project_id=auth.project_id,
        conditions=conditions_from(
            request,
            lists=("environment",),
            since={"fromTimestamp": "createdAt"},
            until={"toTimestamp": "createdAt"},
        ),
        limit=page.limit,
        offset=page.offset,
    )
    clickhouse = context_of(request).clickhouse
    rows, total = await asyncio.gather(sessions.list_page(clickhouse, query), sessions.count(clickhouse, query))
    return json_response(ApiPage([api_session(auth.project_id, row) for row in rows], page.meta(total)))


async def get_session(request: Request) -> Response:
    """One session with all its traces, oldest first."""
    auth = await authorize(request)
    session_id = request.path_params["session_id"]
    clickhouse = context_of(request).clickhouse
    row = await sessions.find(clickhouse, auth.project_id, session_id)
    if row is None:
        raise NotFound("Session not found within authorized project")
    traces = await session_traces(clickhouse, auth.project_id, session_id)
    session = api_session(auth.project_id, row)
    return json_response(ApiSessionDetail(**asdict(session), traces=[api_trace(trace) for trace in traces]))


def api_session(project_id: str, row: Session) -> ApiSession:
    """The session of a list."""
    return ApiSession(
        id=row.id, created_at=iso_micros(row.created_at), project_id=project_id, environment=row.environment
    )


ROUTES = [
    Route("/api/public/sessions", list_page, methods=["GET"]),
    Route("/api/public/sessions/{session_id:segment}", get_session, methods=["GET"]),
]
