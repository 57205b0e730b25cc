"""The project of the key (contract: 6.12)."""

from __future__ import annotations

from msgspec import UNSET
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from appliance.api_types.pages import ApiList
from appliance.api_types.projects import ApiOrganization, ApiProject
from appliance.storage.postgres.tenants import Project
from appliance.web.auth import authorize
from appliance.web.responses import json_response
from appliance.web.state import context_of


async def list_projects(request: Request) -> Response:
    """The one project that the key belongs to, in a list; SDKs check their keys with it."""
    auth = await authorize(request)
    project = await context_of(request).projects.get(auth.project_id)
    return json_response(ApiList([api_project(project)] if project else []))


def api_project(project: Project) -> ApiProject:
    """The project with its organization."""
    return ApiProject(
        id=project.id,
        name=project.name,
        organization=ApiOrganization(id=project.organization_id, name=project.organization_name),
        metadata=project.metadata,
        retention_days=project.retention_days or UNSET,
    )


ROUTES = [Route("/api/public/projects", list_projects)]
