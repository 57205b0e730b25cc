"""The files that a trace refers to, looked up for `trace`."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from appliance.errors import RemoteError
from appliance.model.media import referenced_ids

if TYPE_CHECKING:
    from appliance.client import LangfuseClient

Json = dict[str, Any]
MOST = 50
"""Files looked up for one trace; beyond, there would be more links than anybody opens."""
_FIELDS = ("input", "output", "metadata")


async def media_of(client: LangfuseClient, trace: Mapping[str, Any]) -> dict[str, Json]:
    """The files that a trace and its observations refer to, by id; those that cannot be had are left out."""
    ids = [media_id for one in (trace, *trace["observations"]) for _, media_id in media_in(one)]
    found = await asyncio.gather(*(_media(client, media_id) for media_id in list(dict.fromkeys(ids))[:MOST]))
    return {one["mediaId"]: one for one in found if one is not None}


def media_in(one: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Field and media id of every file that a trace or observation refers to."""
    return [(field, media_id) for field in _FIELDS for media_id in referenced_ids(_text(one.get(field)))]


async def _media(client: LangfuseClient, media_id: str) -> Json | None:
    try:
        return await client.media(media_id)
    except RemoteError:
        return None


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
