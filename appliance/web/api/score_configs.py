"""Score configs (contract: server semantics 6.7)."""

from __future__ import annotations

import dataclasses
from typing import Any, Literal

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from appliance.errors import InvalidRequest, NotFound
from appliance.model.score_configs import BOOLEAN_CATEGORIES, ScoreConfig, config_fault
from appliance.storage.postgres.score_configs import ScoreConfigs
from appliance.web.auth import authorize
from appliance.web.bodies import read_json
from appliance.web.params import page_from
from appliance.web.responses import iso_time, json_response


class _Category(msgspec.Struct):
    label: str
    value: float


class _Create(msgspec.Struct, rename="camel"):
    name: str
    data_type: Literal["NUMERIC", "CATEGORICAL", "BOOLEAN", "TEXT"]
    min_value: float | None = None
    max_value: float | None = None
    categories: list[_Category] | None = None
    description: str | None = None


class _Update(msgspec.Struct, rename="camel", omit_defaults=True):
    name: str | msgspec.UnsetType = msgspec.UNSET
    is_archived: bool | msgspec.UnsetType = msgspec.UNSET
    min_value: float | msgspec.UnsetType | None = msgspec.UNSET
    max_value: float | msgspec.UnsetType | None = msgspec.UNSET
    categories: list[_Category] | msgspec.UnsetType | None = msgspec.UNSET
    description: str | msgspec.UnsetType | None = msgspec.UNSET


async def create_config(request: Request) -> Response:
    """A new config; BOOLEAN ones get their two categories."""
    auth = await authorize(request)
    body = await read_json(request, _Create)
    categories = BOOLEAN_CATEGORIES if body.data_type == "BOOLEAN" else msgspec.to_builtins(body.categories)
    _check(body.name, body.data_type, body.min_value, body.max_value, categories)
    config = await _configs(request).create(
        auth.project_id,
        name=body.name,
        data_type=body.data_type,
        min_value=body.min_value,
        max_value=body.max_value,
        categories=categories,
        description=body.description,
    )
    return json_response(_shown(config))


async def list_configs(request: Request) -> Response:
    """Configs, newest first."""
    auth = await authorize(request)
    page = page_from(request)
    found, total = await _configs(request).find(auth.project_id, page.limit, page.offset)
    return json_response({"data": [_shown(config) for config in found], "meta": page.meta(total)})


async def get_config(request: Request) -> Response:
    """The config with this id."""
    auth = await authorize(request)
    return json_response(_shown(await _config(request, auth.project_id)))


async def update_config(request: Request) -> Response:
    """Change what is given; the data type stays."""
    auth = await authorize(request)
    body = await read_json(request, _Update)
    given = {name: value for name in body.__struct_fields__ if (value := getattr(body, name)) is not msgspec.UNSET}
    if not given:
        raise InvalidRequest("Request body cannot be empty. At least one field must be provided for update.")
    if "categories" in given:
        given["categories"] = msgspec.to_builtins(given["categories"])
    changed = dataclasses.replace(await _config(request, auth.project_id), **given)
    _check(changed.name, changed.data_type, changed.min_value, changed.max_value, changed.categories)
    stored = await _configs(request).update(changed)
    if stored is None:
        raise NotFound("Score config not found within authorized project")
    return json_response(_shown(stored))


async def _config(request: Request, project_id: str) -> ScoreConfig:
    found = await _configs(request).get(project_id, request.path_params["id"])
    if found is None:
        raise NotFound("Score config not found within authorized project")
    return found


def _check(*config: Any) -> None:
    if fault := config_fault(*config):
        raise InvalidRequest(fault)


def _shown(config: ScoreConfig) -> dict[str, Any]:
    return {
        "id": config.id,
        "name": config.name,
        "createdAt": iso_time(config.created_at),
        "updatedAt": iso_time(config.updated_at),
        "projectId": config.project_id,
        "dataType": config.data_type,
        "isArchived": config.is_archived,
        "minValue": config.min_value,
        "maxValue": config.max_value,
        "categories": config.categories,
        "description": config.description,
    }


def _configs(request: Request) -> ScoreConfigs:
    return ScoreConfigs(request.app.state.context.postgres)


routes = [
    Route("/api/public/score-configs", list_configs),
    Route("/api/public/score-configs", create_config, methods=["POST"]),
    Route("/api/public/score-configs/{id:segment}", get_config),
    Route("/api/public/score-configs/{id:segment}", update_config, methods=["PATCH"]),
]
