"""Score configs (contract: server semantics 6.7)."""

from __future__ import annotations

import dataclasses
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from appliance import issues
from appliance.api_types.pages import ApiPage
from appliance.api_types.score_configs import ApiScoreConfig, CreateScoreConfig, UpdateScoreConfig
from appliance.errors import InvalidData, NotFound
from appliance.model.score_configs import BOOLEAN_CATEGORIES, ScoreConfig, config_issues
from appliance.web.auth import authorize
from appliance.web.bodies import read_json
from appliance.web.params import page_params
from appliance.web.responses import iso_time, json_response
from appliance.web.state import context_of

_NO_CHANGE = "Request body cannot be empty. At least one field must be provided for update."


async def create_config(request: Request) -> Response:
    """A new config; BOOLEAN ones get their two categories."""
    auth = await authorize(request)
    body = await read_json(request, CreateScoreConfig)
    categories = msgspec.to_builtins(body.categories)
    _check(body.name, body.data_type, body.min_value, body.max_value, categories)
    if body.data_type == "BOOLEAN":
        categories = BOOLEAN_CATEGORIES
    config = await context_of(request).score_configs.create(
        auth.project_id,
        name=body.name,
        data_type=body.data_type,
        min_value=body.min_value,
        max_value=body.max_value,
        categories=categories,
        description=body.description,
    )
    return json_response(api_score_config(config))


async def list_configs(request: Request) -> Response:
    """Configs, newest first."""
    auth = await authorize(request)
    page = page_params(request)
    configs, total = await context_of(request).score_configs.find(auth.project_id, page.limit, page.offset)
    return json_response(ApiPage([api_score_config(config) for config in configs], page.meta(total)))


async def get_config(request: Request) -> Response:
    """The config with this id."""
    auth = await authorize(request)
    return json_response(api_score_config(await _config(request, auth.project_id)))


async def update_config(request: Request) -> Response:
    """Change the fields that the body has; the data type stays."""
    auth = await authorize(request)
    body = await read_json(request, UpdateScoreConfig)
    changes = {name: value for name in body.__struct_fields__ if (value := getattr(body, name)) is not msgspec.UNSET}
    if not changes:
        raise InvalidData([issues.custom((), _NO_CHANGE)])
    if "categories" in changes:
        changes["categories"] = msgspec.to_builtins(changes["categories"])
    changed = dataclasses.replace(await _config(request, auth.project_id), **changes)
    _check(changed.name, changed.data_type, changed.min_value, changed.max_value, changed.categories)
    stored = await context_of(request).score_configs.update(changed)
    if stored is None:
        raise NotFound("Score config not found within authorized project")
    return json_response(api_score_config(stored))


async def _config(request: Request, project_id: str) -> ScoreConfig:
    config = await context_of(request).score_configs.get(project_id, request.path_params["id"])
    if config is None:
        raise NotFound("Score config not found within authorized project")
    return config


def _check(*config: Any) -> None:
    if found := config_issues(*config):
        raise InvalidData(found)


def api_score_config(config: ScoreConfig) -> ApiScoreConfig:
    """The config."""
    return ApiScoreConfig(
        id=config.id,
        name=config.name,
        created_at=iso_time(config.created_at),
        updated_at=iso_time(config.updated_at),
        project_id=config.project_id,
        data_type=config.data_type,
        is_archived=config.is_archived,
        min_value=config.min_value,
        max_value=config.max_value,
        categories=config.categories,
        description=config.description,
    )


ROUTES = [
    Route("/api/public/score-configs", list_configs),
    Route("/api/public/score-configs", create_config, methods=["POST"]),
    Route("/api/public/score-configs/{id:segment}", get_config),
    Route("/api/public/score-configs/{id:segment}", update_config, methods=["PATCH"]),
]
