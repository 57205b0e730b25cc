"""Datasets and their items (contract: server semantics 6.10, SDK contract 3.3)."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from appliance import issues
from appliance.api_types.datasets import (
    ApiDataset,
    ApiDatasetItem,
    DatasetDetail,
    DatasetSummary,
    PutDataset,
    PutDatasetItem,
)
from appliance.api_types.media import MediaReference
from appliance.api_types.messages import Message
from appliance.api_types.pages import ApiPage
from appliance.errors import InvalidData, InvalidRequest, NotFound
from appliance.model.datasets import Dataset, DatasetItem
from appliance.model.names import folder_name_issues
from appliance.storage.postgres.dataset_items import ItemDraft, ItemQuery
from appliance.web.api.media_references import references_of, require_known_media
from appliance.web.auth import authorize
from appliance.web.bodies import read_json
from appliance.web.params import page_params, text_param, time_param
from appliance.web.responses import iso_time, json_response
from appliance.web.state import context_of

_ALL = 1_000_000
_VERSION_OF_NOTHING = "datasetName is required when version parameter is provided"


async def put_dataset(request: Request) -> Response:
    """Create a dataset, or change the one of that name."""
    auth = await authorize(request)
    body = await read_json(request, PutDataset)
    if found := folder_name_issues(body.name):
        raise InvalidRequest(f"Dataset name not valid. {issues.as_text(found)}")
    dataset = await context_of(request).datasets.put(
        auth.project_id,
        body.name,
        description=body.description,
        metadata=body.metadata,
        input_schema=body.input_schema,
        expected_output_schema=body.expected_output_schema,
    )
    return json_response(api_dataset(dataset))


async def list_datasets(request: Request) -> Response:
    """Datasets, newest first."""
    auth = await authorize(request)
    page = page_params(request)
    datasets, total = await context_of(request).datasets.find(auth.project_id, page.limit, page.offset)
    return json_response(ApiPage([api_dataset(dataset) for dataset in datasets], page.meta(total)))


async def list_datasets_v1(request: Request) -> Response:
    """Datasets with the ids of their items and the names of their runs."""
    auth = await authorize(request)
    page = page_params(request)
    datasets, total = await context_of(request).datasets.find(auth.project_id, page.limit, page.offset)
    data = []
    for dataset in datasets:
        items = await _all_items(request, auth.project_id, dataset)
        runs = await context_of(request).datasets.run_names(auth.project_id, dataset.id)
        data.append(DatasetSummary(**dataset_fields(dataset), items=[item.id for item in items], runs=runs))
    return json_response(ApiPage(data, page.meta(total)))


async def get_dataset(request: Request) -> Response:
    """The dataset of this name."""
    auth = await authorize(request)
    return json_response(api_dataset(await _dataset(request, auth.project_id, request.path_params["name"])))


async def get_dataset_v1(request: Request) -> Response:
    """The dataset of this name with its items and the names of its runs."""
    auth = await authorize(request)
    dataset = await _dataset(request, auth.project_id, request.path_params["name"])
    items = await _all_items(request, auth.project_id, dataset)
    runs = await context_of(request).datasets.run_names(auth.project_id, dataset.id)
    shown = await _api_items(request, auth.project_id, items)
    return json_response(DatasetDetail(**dataset_fields(dataset), items=shown, runs=runs))


async def put_item(request: Request) -> Response:
    """Create an item, or change the one with that id."""
    auth = await authorize(request)
    body = await read_json(request, PutDatasetItem)
    dataset = await _dataset(request, auth.project_id, body.dataset_name)
    draft = ItemDraft(
        id=body.id or str(uuid.uuid4()),
        input=body.input,
        expected_output=body.expected_output,
        metadata=body.metadata,
        source_trace_id=body.source_trace_id,
        source_observation_id=body.source_observation_id,
        status=body.status,
    )
    await require_known_media(request, auth.project_id, [body.input, body.expected_output, body.metadata])
    item = await context_of(request).dataset_items.put(auth.project_id, dataset, draft)
    (shown,) = await _api_items(request, auth.project_id, [item])
    return json_response(shown)


async def list_items(request: Request) -> Response:
    """Active items, now or at the time `version`, newest first."""
    auth = await authorize(request)
    page = page_params(request)
    name, version = text_param(request, "datasetName"), time_param(request, "version", is_date=True)
    if version is not None and name is None:
        raise InvalidData([issues.custom(("datasetName",), _VERSION_OF_NOTHING)])
    dataset = await _dataset(request, auth.project_id, name) if name else None
    query = ItemQuery(
        dataset_id=dataset.id if dataset else None,
        source_trace_id=text_param(request, "sourceTraceId"),
        source_observation_id=text_param(request, "sourceObservationId"),
        version=None if version is None else datetime.fromtimestamp(version / 1e6, UTC),
    )
    items, total = await context_of(request).dataset_items.find(auth.project_id, query, page.limit, page.offset)
    return json_response(ApiPage(await _api_items(request, auth.project_id, items), page.meta(total)))


async def get_item(request: Request) -> Response:
    """The present version of an item, archived or not."""
    auth = await authorize(request)
    item = await context_of(request).dataset_items.get(auth.project_id, request.path_params["id"])
    if item is None:
        raise NotFound("Dataset item not found")
    (shown,) = await _api_items(request, auth.project_id, [item])
    return json_response(shown)


async def delete_item(request: Request) -> Response:
    """Delete an item; its versions stay readable by time."""
    auth = await authorize(request)
    if not await context_of(request).dataset_items.delete(auth.project_id, request.path_params["id"]):
        raise NotFound("Dataset item not found")
    return json_response(Message("Dataset item successfully deleted"))


async def _dataset(request: Request, project_id: str, name: str) -> Dataset:
    dataset = await context_of(request).datasets.get(project_id, name)
    if dataset is None:
        raise NotFound("Dataset not found")
    return dataset


async def _all_items(request: Request, project_id: str, dataset: Dataset) -> list[DatasetItem]:
    items, _ = await context_of(request).dataset_items.find(project_id, ItemQuery(dataset_id=dataset.id), _ALL, 0)
    return items


def api_dataset(dataset: Dataset) -> ApiDataset:
    """The dataset without its items."""
    return ApiDataset(**dataset_fields(dataset))


def dataset_fields(dataset: Dataset) -> dict[str, Any]:
    """The fields of every answer with a dataset."""
    return {
        "id": dataset.id,
        "name": dataset.name,
        "description": dataset.description,
        "metadata": dataset.metadata,
        "input_schema": dataset.input_schema,
        "expected_output_schema": dataset.expected_output_schema,
        "project_id": dataset.project_id,
        "created_at": iso_time(dataset.created_at),
        "updated_at": iso_time(dataset.updated_at),
    }


async def _api_items(request: Request, project_id: str, items: Sequence[DatasetItem]) -> list[ApiDatasetItem]:
    references = await references_of(request, project_id, items)
    return [api_dataset_item(item, media) for item, media in zip(items, references, strict=True)]


def api_dataset_item(item: DatasetItem, media_references: list[MediaReference]) -> ApiDatasetItem:
    """The version of an item, with the files that it refers to."""
    return ApiDatasetItem(
        id=item.id,
        status=item.status,
        input=item.input,
        expected_output=item.expected_output,
        metadata=item.metadata,
        source_trace_id=item.source_trace_id,
        source_observation_id=item.source_observation_id,
        dataset_id=item.dataset_id,
        dataset_name=item.dataset_name,
        created_at=iso_time(item.created_at),
        updated_at=iso_time(item.updated_at),
        version=iso_time(item.valid_from),
        media_references=media_references,
    )


ROUTES = [
    Route("/api/public/v2/datasets", list_datasets),
    Route("/api/public/v2/datasets", put_dataset, methods=["POST"]),
    Route("/api/public/v2/datasets/{name:rest}", get_dataset),
    Route("/api/public/datasets", list_datasets_v1),
    Route("/api/public/datasets", put_dataset, methods=["POST"]),
    Route("/api/public/datasets/{name:segment}", get_dataset_v1),
    Route("/api/public/dataset-items", list_items),
    Route("/api/public/dataset-items", put_item, methods=["POST"]),
    Route("/api/public/dataset-items/{id:segment}", get_item),
    Route("/api/public/dataset-items/{id:segment}", delete_item, methods=["DELETE"]),
]
