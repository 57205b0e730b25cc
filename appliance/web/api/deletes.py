"""DELETE of traces, scores, sessions and projects (contract: server semantics 6.4, 6.7 and 7).

Each answers when nothing shows the object any more; a job deletes its rows soon after.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from appliance.api_types.deletions import DeletedTraces, DeleteTraces
from appliance.api_types.messages import Message
from appliance.errors import InvalidRequest, NotFound
from appliance.model.ids import canonical_id
from appliance.storage.postgres.tenants import Projects
from appliance.web.auth import authorize
from appliance.web.bodies import read_json
from appliance.web.filter_params import conditions_from
from appliance.web.responses import json_response
from appliance.web.state import context_of


async def delete_trace(request: Request) -> Response:
    """Delete a trace with its observations and scores; one that does not exist is deleted, too."""
    auth = await authorize(request)
    await context_of(request).deleter.delete("trace", auth.project_id, _spellings([request.path_params["trace_id"]]))
    return json_response(Message("Trace deleted successfully"))


async def delete_traces(request: Request) -> Response:
    """Delete up to 1,000 traces by their ids, as `DELETE /api/public/traces/{trace_id}` does one."""
    auth = await authorize(request)
    body = await read_json(request, DeleteTraces)
    await context_of(request).deleter.delete("trace", auth.project_id, _spellings(body.trace_ids))
    return json_response(Message("Traces deleted successfully"))


async def delete_matching_traces(request: Request) -> Response:
    """Delete all traces that fulfil `filter`, which may not be empty; the answer says how many."""
    auth = await authorize(request)
    conditions = conditions_from(request)
    if not conditions:
        raise InvalidRequest("Say which traces to delete: `filter` is missing or has no conditions.")
    return json_response(
        DeletedTraces(traces=await context_of(request).deleter.delete_traces(auth.project_id, conditions))
    )


async def delete_session(request: Request) -> Response:
    """Delete a session with its traces and scores; the answer says how many traces it had."""
    auth = await authorize(request)
    traces = await context_of(request).deleter.delete_session(auth.project_id, request.path_params["session_id"])
    return json_response(DeletedTraces(traces=traces))


async def delete_score(request: Request) -> Response:
    """Delete a score; one that does not exist is deleted, too."""
    auth = await authorize(request)
    await context_of(request).deleter.delete("score", auth.project_id, [request.path_params["score_id"]])
    return json_response(Message("Score deletion queued successfully"), 202)


async def delete_project(request: Request) -> Response:
    """Delete the project of the key with everything in it; `confirm` must be its id."""
    auth = await authorize(request)
    if request.query_params.get("confirm") != auth.project_id:
        raise InvalidRequest(f"Deleting a project deletes all its data: add confirm={auth.project_id}.")
    context = context_of(request)
    if not await Projects(context.postgres).mark_deleted(auth.project_id):
        raise NotFound("Project not found")
    context.keys.forget()
    await context_of(request).deleter.delete("project", auth.project_id, [auth.project_id])
    return json_response(Message("Project deletion queued successfully"), 202)


def _spellings(trace_ids: list[str]) -> list[str]:
    """The ids as they are, and in the form in which OpenTelemetry's are stored."""
    return list(dict.fromkeys(spelling for id in trace_ids for spelling in (id, canonical_id(id))))


ROUTES = [
    Route("/api/public/traces", delete_traces, methods=["DELETE"]),
    Route("/api/public/traces/{trace_id:segment}", delete_trace, methods=["DELETE"]),
    Route("/api/public/scores/{score_id:segment}", delete_score, methods=["DELETE"]),
    Route("/api/local/traces", delete_matching_traces, methods=["DELETE"]),
    Route("/api/local/sessions/{session_id:segment}", delete_session, methods=["DELETE"]),
    Route("/api/local/project", delete_project, methods=["DELETE"]),
]
