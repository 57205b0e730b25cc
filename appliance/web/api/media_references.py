"""The media that dataset items refer to (contract: SDK contract 3.3)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from starlette.requests import Request

from appliance.api_types.media import MediaReference
from appliance.errors import InvalidRequest
from appliance.model.datasets import DatasetItem
from appliance.model.media import Place, find_references
from appliance.web.api.media import api_media
from appliance.web.state import context_of


async def require_known_media(request: Request, project_id: str, values: Iterable[Any]) -> None:
    """Raises InvalidRequest when one of the values refers to media that the project does not have."""
    wanted = {place.media_id for value in values for place in find_references(value)}
    if not wanted:
        return
    known = await context_of(request).media.get_many(project_id, wanted)
    if unknown := sorted(wanted - known.keys()):
        raise InvalidRequest(f"Dataset item references unknown media: {', '.join(unknown)}")


async def references_of(request: Request, project_id: str, items: Sequence[DatasetItem]) -> list[list[MediaReference]]:
    """For each item the references in it, with fresh links, in order of field and path; unknown media are left out."""
    places = [_places(item) for item in items]
    wanted = {place.media_id for of_item in places for _, place in of_item}
    known = await context_of(request).media.get_many(project_id, wanted) if wanted else {}
    return [
        [
            MediaReference(
                field=field,
                reference_string=place.reference,
                json_path=place.json_path,
                media=api_media(request, known[place.media_id]),
            )
            for field, place in of_item
            if place.media_id in known
        ]
        for of_item in places
    ]


def _places(item: DatasetItem) -> list[tuple[str, Place]]:
    fields = (("expectedOutput", item.expected_output), ("input", item.input), ("metadata", item.metadata))
    return sorted((field, place) for field, value in fields for place in find_references(value))
