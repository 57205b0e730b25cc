"""The files that a trace refers to, looked up for `trace`."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

from appliance.api_types.media import ApiMedia
from appliance.api_types.observations import ApiObservation
from appliance.api_types.traces import ApiTrace, ApiTraceDetail
from appliance.errors import RemoteError
from appliance.model.media import referenced_ids

if TYPE_CHECKING:
    from appliance.client import LangfuseClient

MOST = 50
"""Files looked up for one trace; nobody opens more links."""


async def media_of(client: LangfuseClient, trace: ApiTraceDetail) -> dict[str, ApiMedia]:
    """The files that a trace and its observations refer to, by id; those that the server refuses are left out."""
    holders: list[ApiTrace | ApiObservation] = [trace, *trace.observations]
    ids = [media_id for holder in holders for _, media_id in media_in(holder)]
    files = await asyncio.gather(*(_media(client, media_id) for media_id in list(dict.fromkeys(ids))[:MOST]))
    return {file.media_id: file for file in files if file is not None}


def media_in(holder: ApiTrace | ApiObservation) -> list[tuple[str, str]]:
    """Field and media id of every file that a trace or observation refers to."""
    fields = {"input": holder.input, "output": holder.output, "metadata": holder.metadata}
    return [(field, media_id) for field, value in fields.items() for media_id in referenced_ids(_text(value))]


async def _media(client: LangfuseClient, media_id: str) -> ApiMedia | None:
    try:
        return await client.media(media_id)
    except RemoteError:
        return None


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
