"""Prompts: the v2 API and the old one that SDKs of the first generation use (contract: server semantics 6.9)."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import count
from typing import Any

from msgspec import UNSET
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from appliance import issues
from appliance.api_types.prompts import (
    AddLabels,
    ApiPrompt,
    ApiPromptSummary,
    CreateChatPrompt,
    CreateTextPrompt,
    PromptPage,
)
from appliance.errors import InvalidData, InvalidRequest, NotFound
from appliance.model.prompts import LATEST, PRODUCTION, NewPrompt, Prompt, content_fault, name_issues
from appliance.model.usage import whole_number
from appliance.storage.postgres.prompts import PromptQuery, PromptSummary
from appliance.web.auth import authorize
from appliance.web.bodies import read_json, read_json_of_two
from appliance.web.params import int_value, page_params, text_param, time_param
from appliance.web.responses import iso_time, json_response, no_content
from appliance.web.state import context_of

_DEFAULT_LIMIT = 10
_MOST_VERSIONS = 2**31 - 1
_LATEST_IS_OURS = "Label 'latest' is always assigned to the latest prompt version"


async def create_prompt(request: Request) -> Response:
    """201 with the new version."""
    auth = await authorize(request)
    body = await read_json_of_two(request, CreateTextPrompt, CreateChatPrompt)
    version = _checked(body)
    prompt = await context_of(request).prompts.create(auth.project_id, version)
    return json_response(api_prompt(prompt), 201)


async def list_prompts(request: Request) -> Response:
    """Names with their versions, labels and tags."""
    auth = await authorize(request)
    page = page_params(request, default_limit=_DEFAULT_LIMIT, first_is_minimum=True)
    query = PromptQuery(
        name=text_param(request, "name"),
        label=text_param(request, "label"),
        tag=text_param(request, "tag"),
        version=_version_param(request),
        from_updated_at=_moment_param(request, "fromUpdatedAt"),
        to_updated_at=_moment_param(request, "toUpdatedAt"),
    )
    summaries, total = await context_of(request).prompts.find(auth.project_id, query, page.limit, page.offset)
    data, meta = [api_prompt_summary(summary) for summary in summaries], page.meta(total)
    return json_response(PromptPage(data=data, meta=meta, pagination=meta))


async def get_prompt(request: Request) -> Response:
    """The version asked for by number or label; the one labelled `production` when neither is given."""
    return await _get(request, request.path_params["name"])


async def get_prompt_by_query(request: Request) -> Response:
    """The old form, with the name as a query parameter."""
    name = text_param(request, "name")
    if name is None:
        await authorize(request)
        raise InvalidData([issues.invalid_type(("name",), "string")])
    return await _get(request, name)


async def add_labels(request: Request) -> Response:
    """Give a version more labels; other versions lose them."""
    auth = await authorize(request)
    body = await read_json(request, AddLabels)
    if LATEST in body.new_labels:
        raise InvalidData([issues.custom(("newLabels",), _LATEST_IS_OURS)])
    name, version = request.path_params["name"], request.path_params["version"]
    number = min(whole_number(version) or 0, _MOST_VERSIONS)
    prompt = await context_of(request).prompts.add_labels(auth.project_id, name, number, body.new_labels)
    if prompt is None:
        raise NotFound(f"Prompt not found: '{name}' with version {version}")
    return json_response(api_prompt(prompt))


async def delete_prompt(request: Request) -> Response:
    """204 once the versions are gone; all of them when neither version nor label is given."""
    auth = await authorize(request)
    name = request.path_params["name"]
    version, label = _version_param(request), text_param(request, "label")
    if not await context_of(request).prompts.delete(auth.project_id, name, version=version, label=label):
        raise NotFound(f"Prompt not found: '{name}'{_selection(version, label)}")
    return no_content()


async def _get(request: Request, name: str) -> Response:
    auth = await authorize(request)
    version, label = _version_param(request), text_param(request, "label")
    if version is not None and label is not None:
        raise InvalidRequest("Cannot specify both version and label")
    if version is None and label is None:
        label = PRODUCTION
    prompt = await context_of(request).prompts.get(auth.project_id, name, version=version, label=label)
    if prompt is None:
        raise NotFound(f"Prompt not found: '{name}'{_selection(version, label)}")
    return json_response(api_prompt(prompt, is_read=True))


def _checked(body: CreateTextPrompt | CreateChatPrompt) -> NewPrompt:
    if faults := name_issues(body.name):
        raise InvalidData(faults)
    prompt = body.prompt if isinstance(body, CreateTextPrompt) else list(map(_message, count(), body.prompt))
    if fault := content_fault(prompt):
        raise InvalidRequest(fault)
    return NewPrompt(
        name=body.name,
        type=body.type or "text",
        prompt=prompt,
        labels=[*(body.labels or []), *([PRODUCTION] if body.is_active else [])],
        tags=body.tags,
        config=body.config,
        commit_message=body.commit_message,
    )


def _message(position: int, message: dict[str, Any]) -> dict[str, Any]:
    path = ("prompt", position)
    if message.get("type") == "placeholder":
        if not isinstance(message.get("name"), str) or not message["name"]:
            raise InvalidData([issues.custom(path, "A placeholder needs a name")])
        return {"type": "placeholder", "name": message["name"]}
    if not isinstance(message.get("role"), str) or not isinstance(message.get("content"), str):
        raise InvalidData([issues.custom(path, "A message needs a role and a content, both strings")])
    return {key: value for key, value in message.items() if key != "type"}


def api_prompt(prompt: Prompt, *, is_read: bool = False) -> ApiPrompt:
    """The version; only where it `is_read` by itself the answer says whether it is active."""
    return ApiPrompt(
        id=prompt.id,
        created_at=iso_time(prompt.created_at),
        updated_at=iso_time(prompt.updated_at),
        project_id=prompt.project_id,
        created_by=prompt.created_by,
        name=prompt.name,
        version=prompt.version,
        type=prompt.type,
        prompt=prompt.prompt,
        config=prompt.config,
        tags=prompt.tags,
        labels=prompt.labels,
        commit_message=prompt.commit_message,
        is_active=PRODUCTION in prompt.labels if is_read else UNSET,
        resolution_graph=None if is_read else UNSET,
    )


def api_prompt_summary(summary: PromptSummary) -> ApiPromptSummary:
    """The prompt of a list."""
    return ApiPromptSummary(
        name=summary.name,
        type=summary.type,
        versions=summary.versions,
        labels=summary.labels,
        tags=summary.tags,
        last_updated_at=iso_time(summary.last_updated_at),
        last_config=summary.last_config,
    )


def _selection(version: int | None, label: str | None) -> str:
    if version is not None:
        return f" with version {version}"
    return f" with label '{label}'" if label is not None else ""


def _version_param(request: Request) -> int | None:
    text = text_param(request, "version")
    if text is None:
        return None
    return max(-1, min(int_value("version", text), _MOST_VERSIONS))


def _moment_param(request: Request, name: str) -> datetime | None:
    micros = time_param(request, name)
    return None if micros is None else datetime.fromtimestamp(micros / 1e6, UTC)


ROUTES = [
    Route("/api/public/v2/prompts", list_prompts),
    Route("/api/public/v2/prompts", create_prompt, methods=["POST"]),
    Route("/api/public/v2/prompts/{name:rest}", get_prompt),
    Route("/api/public/v2/prompts/{name:rest}", delete_prompt, methods=["DELETE"]),
    Route("/api/public/v2/prompts/{name:rest}/versions/{version:segment}", add_labels, methods=["PATCH"]),
    Route("/api/public/prompts", get_prompt_by_query),
    Route("/api/public/prompts", create_prompt, methods=["POST"]),
]
