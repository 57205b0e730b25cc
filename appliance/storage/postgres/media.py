"""Media records, and where media is used (contract: server semantics 2.7, SDK contract 5.3)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, LiteralString

from psycopg.rows import DictRow

from appliance.model.media import Media, MediaUse
from appliance.storage.postgres.pool import Postgres
from appliance.storage.sql_files import load_blocks

_SQL = load_blocks(__package__, "media")
TraceKey = tuple[str, str]
"""Project and trace id."""
MediaKey = tuple[str, str]
"""Project and media id."""
DeleteBlob = Callable[[str], Awaitable[None]]

_FIELDS = tuple(Media.__dataclass_fields__)


class MediaRecords:
    """The media of all projects. Every method raises StoreUnavailable."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def announce(self, media: Media) -> Media:
        """Record content that will be uploaded; an existing record keeps everything but its type."""
        values = {name: getattr(media, name) for name in _FIELDS}
        row = await self._postgres.row(_SQL["announce"], values)
        assert row is not None
        return _media(row)

    async def announce_many(self, project_id: str, media: Sequence[Media]) -> dict[str, Media]:
        """Add the missing records and return all of them as stored, by id; none of an unknown project."""
        columns: dict[str, Any] = {
            "ids": [each.id for each in media],
            "hashes": [each.sha256_hash for each in media],
            "types": [each.content_type for each in media],
            "lengths": [each.content_length for each in media],
            "paths": [each.path for each in media],
        }
        await self._postgres.execute(_SQL["announce_many"], {"project_id": project_id, **columns})
        return await self.get_many(project_id, columns["ids"])

    async def get(self, project_id: str, media_id: str) -> Media | None:
        """The media with this id; None when there is none in this project."""
        row = await self._postgres.row(_SQL["get"], {"project_id": project_id, "id": media_id})
        return None if row is None else _media(row)

    async def get_many(self, project_id: str, ids: Iterable[str]) -> dict[str, Media]:
        """Those of `ids` that exist, by id."""
        rows = await self._postgres.rows(_SQL["get_many"], {"project_id": project_id, "ids": sorted(set(ids))})
        return {row["id"]: _media(row) for row in rows}

    async def mark_uploaded(self, project_id: str, media_id: str, content_length: int) -> None:
        """Record that the content has arrived."""
        key = {"project_id": project_id, "id": media_id}
        await self._postgres.execute(_SQL["mark_uploaded"], {**key, "content_length": content_length})

    async def mark_many_uploaded(self, project_id: str, lengths: Mapping[str, int]) -> None:
        """Record that contents have arrived; `lengths` are in bytes, by id."""
        columns: dict[str, Any] = {"ids": list(lengths), "lengths": list(lengths.values())}
        await self._postgres.execute(_SQL["mark_many_uploaded"], {"project_id": project_id, **columns})

    async def forget_abandoned(self, most: int) -> int:
        """Delete up to `most` records of media that were announced more than a day ago and never arrived; how many."""
        return await self._postgres.execute(_SQL["forget_abandoned"], {"most": most})

    async def confirm(
        self,
        project_id: str,
        media_id: str,
        *,
        uploaded_at: datetime,
        http_status: int,
        http_error: str | None,
        time_ms: int | None,
    ) -> bool:
        """Store the outcome of an upload that the client reports; returns whether the media exist."""
        values = {
            "project_id": project_id,
            "id": media_id,
            "uploaded_at": uploaded_at,
            "http_status": http_status,
            "http_error": http_error,
            "time_ms": time_ms,
        }
        return bool(await self._postgres.execute(_SQL["confirm"], values))

    async def link_trace(
        self, project_id: str, media_id: str, *, trace_id: str, observation_id: str | None, field: str
    ) -> None:
        """Record that a trace, or one of its observations, uses the media in `field`."""
        values = {"project_id": project_id, "media_id": media_id, "trace_id": trace_id, "field": field}
        await self._postgres.execute(_SQL["link_trace"], {**values, "observation_id": observation_id or ""})

    async def link_traces(self, project_id: str, uses: Sequence[MediaUse]) -> None:
        """Record where media are used; unknown media are left out."""
        columns = {
            "trace_ids": [use.trace_id for use in uses],
            "observation_ids": [use.observation_id for use in uses],
            "fields": [use.field for use in uses],
            "media_ids": [use.media_id for use in uses],
        }
        await self._postgres.execute(_SQL["link_traces"], {"project_id": project_id, **columns})

    async def link_dataset_item(
        self, project_id: str, media_id: str, *, dataset_id: str, dataset_item_id: str, field: str
    ) -> None:
        """Record that a dataset item uses the media in `field`."""
        values = {"project_id": project_id, "media_id": media_id, "dataset_id": dataset_id, "field": field}
        await self._postgres.execute(_SQL["link_dataset_item"], {**values, "dataset_item_id": dataset_item_id})

    async def stored_bytes(self) -> int:
        """Total size of all uploaded media, in bytes."""
        row = await self._postgres.row(_SQL["stored_bytes"])
        return 0 if row is None else int(row["bytes"])

    async def of_traces(self, traces: Sequence[TraceKey]) -> list[MediaKey]:
        """The media that any of these traces use."""
        rows = await self._postgres.rows(_SQL["media_of_traces"], _trace_columns(traces))
        return [(row["project_id"], row["media_id"]) for row in rows]

    async def unlink_traces(self, traces: Sequence[TraceKey]) -> int:
        """Forget that these traces use media; returns how many uses there were."""
        return await self._postgres.execute(_SQL["unlink_traces"], _trace_columns(traces))

    async def delete_unused(self, media: Sequence[MediaKey], quiet_s: float, delete: DeleteBlob) -> int:
        """Delete those that nothing uses and nobody announced for `quiet_s`, with their contents; returns how many.

        `delete` takes the key of the content. A record is first marked as not uploaded and deleted last, so that
        a failure in between leaves no record of a missing file.
        """
        columns = {"project_ids": [project for project, _ in media], "media_ids": [id for _, id in media]}
        params: dict[str, Any] = columns | {"quiet_s": quiet_s}
        await self._postgres.execute(_SQL["withdraw_unused"], params)
        return await self._delete(_SQL["delete_unused"], params, delete)

    async def delete_of_project(self, project_id: str, most: int, delete: DeleteBlob) -> int:
        """Delete up to `most` media of a project, used or not; returns how many."""
        return await self._delete(_SQL["delete_of_project"], {"project_id": project_id, "most": most}, delete)

    async def _delete(self, sql: LiteralString, params: Mapping[str, Any], delete: DeleteBlob) -> int:
        async with self._postgres.transaction() as connection:
            paths = [row["path"] for row in await (await connection.execute(sql, params)).fetchall()]
            for path in paths:  # before the commit: an error keeps the records, and the job is run again
                await delete(path)
        return len(paths)


def _trace_columns(traces: Sequence[TraceKey]) -> dict[str, Any]:
    return {"project_ids": [project for project, _ in traces], "trace_ids": [id for _, id in traces]}


def _media(row: DictRow) -> Media:
    return Media(**{name: row[name] for name in _FIELDS})
