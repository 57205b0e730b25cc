"""Media records, and where media is used (contract: server semantics 2.7, SDK contract 5.3)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from psycopg.rows import DictRow

from appliance.model.media import Media
from appliance.storage.postgres.pool import Postgres
from appliance.storage.postgres.statements import statements

_SQL = statements("media")
_FIELDS = tuple(Media.__dataclass_fields__)


class MediaRecords:
    """The media of all projects. Every method raises StoreUnavailable."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def announce(self, media: Media) -> Media:
        """Record that this content will come; what is known of the same content stays, but for its type."""
        values = {name: getattr(media, name) for name in _FIELDS}
        row = await self._postgres.row(_SQL["announce"], values)
        assert row is not None
        return _media(row)

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
        """Keep what the client says of its upload; returns whether there is such media."""
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

    async def link_dataset_item(
        self, project_id: str, media_id: str, *, dataset_id: str, dataset_item_id: str, field: str
    ) -> None:
        """Record that a dataset item uses the media in `field`."""
        values = {"project_id": project_id, "media_id": media_id, "dataset_id": dataset_id, "field": field}
        await self._postgres.execute(_SQL["link_dataset_item"], {**values, "dataset_item_id": dataset_item_id})


def _media(row: DictRow) -> Media:
    return Media(**{name: row[name] for name in _FIELDS})
