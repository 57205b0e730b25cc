"""Stores the files that came inside payloads, before the rows that refer to them are written."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping
from typing import Final

from appliance.model.media import Content, Media, MediaUse, blob_key, referenced_ids
from appliance.model.observations import Observation
from appliance.model.traces import TracePart
from appliance.storage.blobs.contract import BlobStore
from appliance.storage.postgres.media import MediaRecords

MediaKey = tuple[str, str]
"""Project and media id."""

_AT_ONCE: Final = 4


class MediaKeeper:
    """Stores contents and where they are used; harmless to repeat."""

    def __init__(self, records: MediaRecords, blobs: BlobStore) -> None:
        self._records = records
        self._blobs = blobs
        self._room = asyncio.Semaphore(_AT_ONCE)

    async def keep(self, contents: Mapping[MediaKey, Content], uses: Mapping[str, Collection[MediaUse]]) -> None:
        """Store the contents that are missing; `uses` are by project. Raises StoreUnavailable."""
        for project_id in {project_id for project_id, _ in contents}:
            mine = {media_id: content for (owner, media_id), content in contents.items() if owner == project_id}
            known = await self._records.announce_many(
                project_id, [_media(project_id, content) for content in mine.values()]
            )
            missing = [media for media in known.values() if media.uploaded_at is None]
            await asyncio.gather(*(self._put(media, mine[media.id]) for media in missing))
            if missing:
                arrived = {media.id: len(mine[media.id].data) for media in missing}
                await self._records.mark_many_uploaded(project_id, arrived)
            if uses.get(project_id):
                await self._records.link_traces(project_id, sorted(uses[project_id]))

    async def _put(self, media: Media, content: Content) -> None:
        async with self._room:
            await self._blobs.put(media.path, content.data, media.content_type)


def uses_of(
    observations: Iterable[Observation], parts: Iterable[TracePart], keys: Collection[MediaKey]
) -> dict[str, set[MediaUse]]:
    """Where observations and traces refer to any of these media, by project."""
    uses: dict[str, set[MediaUse]] = {}
    wanted = set(keys)

    def look(project_id: str, trace_id: str, observation_id: str, field: str, text: str | None) -> None:
        for media_id in referenced_ids(text or ""):
            # Postgres stores no NUL, so such an id cannot be linked.
            if (project_id, media_id) in wanted and "\0" not in trace_id + observation_id:
                uses.setdefault(project_id, set()).add(MediaUse(trace_id, observation_id, field, media_id))

    for row in observations:
        for field, text in _texts(row):
            look(row.project_id, row.trace_id, row.id, field, text)
    for part in parts:
        for field, text in _texts(part):
            look(part.project_id, part.id, "", field, text)
    return uses


def _texts(row: Observation | TracePart) -> Iterable[tuple[str, str | None]]:
    yield "input", row.input
    yield "output", row.output
    for text in row.metadata.values():
        yield "metadata", text


def _media(project_id: str, content: Content) -> Media:
    return Media(
        project_id=project_id,
        id=content.id,
        sha256_hash=content.sha256_hash,
        content_type=content.content_type,
        content_length=len(content.data),
        path=blob_key(project_id, content.id, content.content_type),
        uploaded_at=None,
    )
