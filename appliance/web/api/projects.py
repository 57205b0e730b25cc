"""The project of the key (contract: 6.12)."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from appliance.storage.postgres.tenants import Projects
from appliance.web.auth import authorize
from appliance.web.responses import json_response


async def list_projects(request: Request) -> Response:
    """The one project that the key belongs to, in a list; SDKs check their keys with it."""
    auth = await authorize(request)
    project = await Projects(request.app.state.context.postgres).get(auth.project_id)
    if project is None:
        return json_response({"data": []})
    found: dict[str, object] = {
        "id": project.id,
        "name": project.name,
        "organization": {"id": project.organization_id, "name": project.organization_name},
        "metadata": project.metadata,
    }
    if project.retention_days:
        found["retentionDays"] = project.retention_days
    return json_response({"data": [found]})


routes = [Route("/api/public/projects", list_projects)]
