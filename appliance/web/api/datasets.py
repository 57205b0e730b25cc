"""Datasets and their items (contract: server semantics 6.10, SDK contract 3.3)."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from appliance.errors import InvalidData, InvalidRequest, NotFound
from appliance.model.datasets import Dataset, DatasetItem
from appliance.storage.postgres.dataset_items import DatasetItems, ItemDraft, ItemQuery
from appliance.storage.postgres.datasets import Datasets
from appliance.web.api.media_references import require_known_media, shown_references
from appliance.web.auth import authorize
from appliance.web.bodies import read_json
from appliance.web.params import issue, page_from, text_param, time_param
from appliance.web.responses import iso_time, json_response

_ALL = 1_000_000


class _PutDataset(msgspec.Struct, rename="camel"):
    name: str
    description: str | None = None
    metadata: Any = None
    input_schema: dict[str, Any] | None = None
    expected_output_schema: dict[str, Any] | None = None


class _PutItem(msgspec.Struct, rename="camel"):
    dataset_name: str
    id: str | None = None
    input: Any = None
    expected_output: Any = None
    metadata: Any = None
    source_trace_id: str | None = None
    source_observation_id: str | None = None
    status: Literal["ACTIVE", "ARCHIVED"] | None = None


async def put_dataset(request: Request) -> Response:
    """Create a dataset, or change the one of that name."""
    auth = await authorize(request)
    body = await read_json(request, _PutDataset)
    if not body.name or "\0" in body.name:
        raise InvalidData([issue("name", "Enter a name", "too_small")])
    dataset = await _datasets(request).put(
        auth.project_id,
        body.name,
        description=body.description,
        metadata=body.metadata,
        input_schema=body.input_schema,
        expected_output_schema=body.expected_output_schema,
    )
    return json_response(_shown(dataset))


async def list_datasets(request: Request) -> Response:
    """Datasets, newest first."""
    auth = await authorize(request)
    page = page_from(request)
    found, total = await _datasets(request).find(auth.project_id, page.limit, page.offset)
    return json_response({"data": [_shown(dataset) for dataset in found], "meta": page.meta(total)})


async def list_datasets_v1(request: Request) -> Response:
    """Datasets with the ids of their items and the names of their runs."""
    auth = await authorize(request)
    page = page_from(request)
    found, total = await _datasets(request).find(auth.project_id, page.limit, page.offset)
    data = []
    for dataset in found:
        items = await _all_items(request, auth.project_id, dataset)
        runs = await _datasets(request).run_names(auth.project_id, dataset.id)
        data.append({**_shown(dataset), "items": [item.id for item in items], "runs": runs})
    return json_response({"data": data, "meta": page.meta(total)})


async def get_dataset(request: Request) -> Response:
    """The dataset of this name."""
    auth = await authorize(request)
    return json_response(_shown(await _dataset(request, auth.project_id, request.path_params["name"])))


async def get_dataset_v1(request: Request) -> Response:
    """The dataset of this name with its items and the names of its runs."""
    auth = await authorize(request)
    dataset = await _dataset(request, auth.project_id, request.path_params["name"])
    items = await _all_items(request, auth.project_id, dataset)
    runs = await _datasets(request).run_names(auth.project_id, dataset.id)
    shown = await _shown_items(request, auth.project_id, items)
    return json_response({**_shown(dataset), "items": shown, "runs": runs})


async def put_item(request: Request) -> Response:
    """Create an item, or change the one with that id."""
    auth = await authorize(request)
    body = await read_json(request, _PutItem)
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
    item = await _items(request).put(auth.project_id, dataset, draft)
    (shown,) = await _shown_items(request, auth.project_id, [item])
    return json_response(shown)


async def list_items(request: Request) -> Response:
    """Active items, now or at the time `version`, newest first."""
    auth = await authorize(request)
    page = page_from(request)
    name, version = text_param(request, "datasetName"), time_param(request, "version")
    if version is not None and name is None:
        raise InvalidRequest("version needs datasetName")
    dataset = await _dataset(request, auth.project_id, name) if name else None
    query = ItemQuery(
        dataset_id=dataset.id if dataset else None,
        source_trace_id=text_param(request, "sourceTraceId"),
        source_observation_id=text_param(request, "sourceObservationId"),
        version=None if version is None else datetime.fromtimestamp(version / 1e6, UTC),
    )
    found, total = await _items(request).find(auth.project_id, query, page.limit, page.offset)
    return json_response({"data": await _shown_items(request, auth.project_id, found), "meta": page.meta(total)})


async def get_item(request: Request) -> Response:
    """The present version of an item, archived or not."""
    auth = await authorize(request)
    item = await _items(request).get(auth.project_id, request.path_params["id"])
    if item is None:
        raise NotFound("Dataset item not found")
    (shown,) = await _shown_items(request, auth.project_id, [item])
    return json_response(shown)


async def delete_item(request: Request) -> Response:
    """Delete an item; its versions stay readable by time."""
    auth = await authorize(request)
    if not await _items(request).delete(auth.project_id, request.path_params["id"]):
        raise NotFound("Dataset item not found")
    return json_response({"message": "Dataset item successfully deleted"})


async def _dataset(request: Request, project_id: str, name: str) -> Dataset:
    dataset = await _datasets(request).get(project_id, name)
    if dataset is None:
        raise NotFound("Dataset not found")
    return dataset


async def _all_items(request: Request, project_id: str, dataset: Dataset) -> list[DatasetItem]:
    items, _ = await _items(request).find(project_id, ItemQuery(dataset_id=dataset.id), _ALL, 0)
    return items


def _shown(dataset: Dataset) -> dict[str, Any]:
    return {
        "id": dataset.id,
        "name": dataset.name,
        "description": dataset.description,
        "metadata": dataset.metadata,
        "inputSchema": dataset.input_schema,
        "expectedOutputSchema": dataset.expected_output_schema,
        "projectId": dataset.project_id,
        "createdAt": iso_time(dataset.created_at),
        "updatedAt": iso_time(dataset.updated_at),
    }


async def _shown_items(request: Request, project_id: str, items: Sequence[DatasetItem]) -> list[dict[str, Any]]:
    references = await shown_references(request, project_id, items)
    return [{**_shown_item(item), "mediaReferences": found} for item, found in zip(items, references, strict=True)]


def _shown_item(item: DatasetItem) -> dict[str, Any]:
    return {
        "id": item.id,
        "status": item.status,
        "input": item.input,
        "expectedOutput": item.expected_output,
        "metadata": item.metadata,
        "sourceTraceId": item.source_trace_id,
        "sourceObservationId": item.source_observation_id,
        "datasetId": item.dataset_id,
        "datasetName": item.dataset_name,
        "createdAt": iso_time(item.created_at),
        "updatedAt": iso_time(item.updated_at),
        "version": iso_time(item.valid_from),
    }


def _datasets(request: Request) -> Datasets:
    return Datasets(request.app.state.context.postgres)


def _items(request: Request) -> DatasetItems:
    return DatasetItems(request.app.state.context.postgres)


routes = [
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
