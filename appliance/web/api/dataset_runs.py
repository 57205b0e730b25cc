"""Dataset runs and their items (contract: server semantics 6.10, SDK contract 3.4)."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from appliance import issues
from appliance.api_types.dataset_runs import (
    ApiDatasetRun,
    ApiDatasetRunItem,
    CreateDatasetRunItem,
    DatasetRunDetail,
)
from appliance.api_types.messages import Message
from appliance.api_types.pages import ApiPage
from appliance.errors import InvalidData, NotFound
from appliance.model.datasets import DatasetRun, DatasetRunItem, dataset_run_id
from appliance.model.ids import canonical_id
from appliance.model.times import clamp, micros_of, moment_of
from appliance.storage.clickhouse import observations
from appliance.storage.postgres.dataset_runs import RunItemDraft
from appliance.web.auth import authorize
from appliance.web.bodies import read_json
from appliance.web.params import page_params, text_param
from appliance.web.responses import iso_time, json_response
from appliance.web.state import context_of


async def create_item(request: Request) -> Response:
    """Link a dataset item to a trace or an observation in a run, which is created by its first item."""
    auth = await authorize(request)
    body = await read_json(request, CreateDatasetRunItem)
    if not body.trace_id and not body.observation_id:
        raise InvalidData([issues.custom(("traceId",), "observationId or traceId must be provided")])
    version = _storable(body.dataset_version)
    item = await context_of(request).dataset_items.active(auth.project_id, body.dataset_item_id, version)
    if item is None:
        raise NotFound("Dataset item not found")
    draft = RunItemDraft(
        dataset_id=item.dataset_id,
        run_id=await _new_run_id(request, auth.project_id, item.dataset_id, body.run_name),
        run_name=body.run_name,
        run_description=body.run_description,
        run_metadata=_run_metadata(body.metadata, version),
        dataset_item_id=item.id,
        trace_id=canonical_id(body.trace_id or await _trace_of(request, auth.project_id, body.observation_id or "")),
        observation_id=canonical_id(body.observation_id) if body.observation_id else None,
        created_at=_storable(body.created_at),
    )
    run_item = await context_of(request).dataset_runs.add_item(auth.project_id, draft)
    return json_response(api_run_item(run_item, body.run_name))


async def list_items(request: Request) -> Response:
    """The items of a run, newest first; `datasetId` and `runName` say which run."""
    auth = await authorize(request)
    page = page_params(request)
    dataset_id, run_name = _required(request, "datasetId"), _required(request, "runName")
    run = await context_of(request).dataset_runs.get_by_dataset_id(auth.project_id, dataset_id, run_name)
    if run is None:
        raise NotFound("Dataset run not found for the given project and dataset id")
    items, total = await context_of(request).dataset_runs.items(run, page.limit, page.offset)
    return json_response(ApiPage([api_run_item(item, run.name) for item in items], page.meta(total)))


async def list_runs(request: Request) -> Response:
    """The runs of a dataset, newest first."""
    auth = await authorize(request)
    page = page_params(request)
    dataset = await context_of(request).datasets.get(auth.project_id, request.path_params["name"])
    if dataset is None:
        raise NotFound("Dataset not found")
    runs, total = await context_of(request).dataset_runs.find(auth.project_id, dataset.id, page.limit, page.offset)
    return json_response(ApiPage([ApiDatasetRun(**run_fields(run)) for run in runs], page.meta(total)))


async def get_run(request: Request) -> Response:
    """The run of this name with all its items."""
    auth = await authorize(request)
    run = await _run(request, auth.project_id)
    items, _ = await context_of(request).dataset_runs.items(run)
    detail = DatasetRunDetail(**run_fields(run), dataset_run_items=[api_run_item(item, run.name) for item in items])
    return json_response(detail)


async def delete_run(request: Request) -> Response:
    """Delete a run with its items and its own scores; its traces stay."""
    auth = await authorize(request)
    run = await _run(request, auth.project_id)
    # The scores first: when a store fails in between, the run is still there to be deleted once more.
    await context_of(request).deleter.delete("dataset_run", auth.project_id, [run.id])
    await context_of(request).dataset_runs.delete(run)
    return json_response(Message("Dataset run successfully deleted"))


async def _run(request: Request, project_id: str) -> DatasetRun:
    run = await context_of(request).dataset_runs.get(
        project_id, request.path_params["name"], request.path_params["run_name"]
    )
    if run is None:
        raise NotFound("Dataset run not found")
    return run


async def _new_run_id(request: Request, project_id: str, dataset_id: str, run_name: str) -> str:
    run_id = dataset_run_id(project_id, dataset_id, run_name)
    # Scores of a deleted run of this name are purged by its id; those of the new run must stay.
    is_deleted = await context_of(request).deleter.is_deleted("dataset_run", project_id, run_id)
    return str(uuid.uuid4()) if is_deleted else run_id


async def _trace_of(request: Request, project_id: str, observation_id: str) -> str:
    observation = await observations.find(
        context_of(request).clickhouse, project_id, canonical_id(observation_id), frozenset()
    )
    if observation is None:
        raise NotFound(f"Observation with id {observation_id} not found")
    return observation.trace_id


def _run_metadata(metadata: Any, version: datetime | None) -> dict[str, Any]:
    """The metadata of a run as an object, with the version of the dataset that was named."""
    values = metadata if isinstance(metadata, dict) else {"metadata": metadata} if metadata else {}
    return values if version is None else {**values, "dataset_version": iso_time(version)}


def _required(request: Request, name: str) -> str:
    text = text_param(request, name)
    if text is None:
        raise InvalidData([issues.invalid_type((name,), "string")])
    return text


def _storable(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment_of(clamp(micros_of(moment)))


def run_fields(run: DatasetRun) -> dict[str, Any]:
    """What both shapes of a run show."""
    return {
        "id": run.id,
        "name": run.name,
        "description": run.description,
        "metadata": run.metadata,
        "dataset_id": run.dataset_id,
        "dataset_name": run.dataset_name,
        "created_at": iso_time(run.created_at),
        "updated_at": iso_time(run.updated_at),
    }


def api_run_item(item: DatasetRunItem, run_name: str) -> ApiDatasetRunItem:
    """An item of the run of this name."""
    return ApiDatasetRunItem(
        id=item.id,
        dataset_run_id=item.dataset_run_id,
        dataset_run_name=run_name,
        dataset_item_id=item.dataset_item_id,
        trace_id=item.trace_id,
        observation_id=item.observation_id,
        created_at=iso_time(item.created_at),
        updated_at=iso_time(item.updated_at),
    )


ROUTES = [
    Route("/api/public/dataset-run-items", list_items),
    Route("/api/public/dataset-run-items", create_item, methods=["POST"]),
    Route("/api/public/datasets/{name:segment}/runs", list_runs),
    Route("/api/public/datasets/{name:segment}/runs/{run_name:segment}", get_run),
    Route("/api/public/datasets/{name:segment}/runs/{run_name:segment}", delete_run, methods=["DELETE"]),
]
