"""Web and a worker on stores of their own."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from appliance.config import Settings
from appliance.model.media import Content, MediaUse, blob_key
from appliance.model.observations import Observation
from appliance.model.scores import Score
from appliance.model.traces import TracePart
from appliance.storage.clickhouse.client import ClickHouse
from appliance.storage.clickhouse.writer import Writer
from appliance.storage.postgres.jobs import Jobs
from appliance.storage.postgres.media import MediaRecords
from appliance.storage.setup import prepare
from appliance.web.app import create_app
from appliance.web.context import Context, create_context
from appliance.worker.jobs.registry import QUEUED
from appliance.worker.media import MediaKeeper
from appliance.worker.schedule import Queue, Stores

NOW = 1_763_895_000_000_000
"""2025-11-23T10:50:00Z in microseconds."""
TABLES = ("observations", "observations_list", "trace_parts", "scores", "folded_traces", "touched_traces")


class Appliance:
    """Rows, the API over them, and the jobs, run one by one."""

    def __init__(self, context: Context, stores: Stores, http: httpx.AsyncClient) -> None:
        self.context = context
        self.stores = stores
        self.http = http
        self.project_id = context.settings.init.project_id
        self.jobs = Jobs(context.postgres)
        self._writer = Writer(stores.clickhouse)

    async def write(
        self, trace_id: str, *, at: int = NOW, session_id: str = "", user_id: str = "", written: int = NOW
    ) -> None:
        """A trace with two observations and a score, accepted at `written`."""
        common: dict[str, Any] = {"project_id": self.project_id, "created_at": written, "event_ts": written}
        observations = [
            Observation(
                trace_id=trace_id, id=f"{trace_id}-{number}", start_time=at, updated_at=written, name="step", **common
            )
            for number in range(2)
        ]
        score = Score(
            id=f"{trace_id}-score",
            trace_id=trace_id,
            timestamp=at,
            updated_at=written,
            name="quality",
            source="API",
            data_type="NUMERIC",
            **common,
        )
        part = TracePart(
            id=trace_id,
            part_id="p",
            timestamp=at,
            order_ts=at,
            name=trace_id,
            name_rank=2,
            user_id=user_id or None,
            session_id=session_id or None,
            **common,
        )
        await self._writer.write(observations, [score], [part])

    async def delete(self, path: str, **kwargs: Any) -> Any:
        answer = await self.http.request("DELETE", path, **kwargs)
        assert answer.is_success, answer.text
        return answer.json()

    async def ids(self, path: str, **params: Any) -> set[str]:
        answer = await self.http.get(path, params=params)
        assert answer.status_code == 200, answer.text
        return {row["id"] for row in answer.json()["data"]}

    async def run_jobs(self, kind: str | None = None) -> list[str]:
        """Run what is enqueued (of one kind), whenever it is due, and return the messages that are left."""
        await self.context.postgres.execute("UPDATE jobs SET run_at = clock_timestamp() WHERE state = 'waiting'")
        queue = Queue(self.jobs, self.stores, QUEUED)
        messages = []
        while (job := await self.jobs.claim([kind] if kind else list(QUEUED), 30)) is not None:
            await queue.run(job)
            ended = await self.jobs.get(job.id)
            assert ended is not None and ended.state == "done", ended
            messages.append(ended.message)
        return messages

    async def run_one(self, kind: str) -> str:
        """Run the next job of a kind that is due, and return its message."""
        job = await self.jobs.claim([kind], 30)
        assert job is not None
        await Queue(self.jobs, self.stores, QUEUED).run(job)
        ended = await self.jobs.get(job.id)
        assert ended is not None
        return ended.message

    async def write_legacy(self, trace_id: str, *, written: int) -> None:
        """A trace whose observation came by the ingestion API, and so may be updated."""
        row = Observation(
            project_id=self.project_id,
            trace_id=trace_id,
            id=f"{trace_id}-0",
            start_time=NOW,
            created_at=written,
            updated_at=written,
            event_ts=written,
            source="api",
        )
        await self._writer.write([row])

    async def write_score(self, score_id: str, *, at: int, dataset_run_id: str = "") -> None:
        """A score of a dataset run, or of a session."""
        common: dict[str, Any] = {"created_at": at, "updated_at": at, "event_ts": at}
        row = Score(
            project_id=self.project_id,
            id=score_id,
            session_id="" if dataset_run_id else "s",
            dataset_run_id=dataset_run_id,
            timestamp=at,
            name="quality",
            source="API",
            data_type="NUMERIC",
            **common,
        )
        await self._writer.write(scores=[row])

    async def upload(self, data: bytes, trace_id: str) -> None:
        """A file that a trace uses."""
        content = Content.of("text/plain", data)
        key = (self.project_id, content.id)
        keeper = MediaKeeper(MediaRecords(self.context.postgres), self.context.blobs)
        await keeper.keep({key: content}, {self.project_id: {MediaUse(trace_id, "", "input", content.id)}})

    async def has_file(self, data: bytes) -> bool:
        content = Content.of("text/plain", data)
        return await self.context.blobs.size(blob_key(self.project_id, content.id, "text/plain")) is not None

    async def stored(self, trace_id: str) -> dict[str, int]:
        """How many rows of a trace each table holds, by a client that sees deleted ones."""
        found = {}
        for table in TABLES:
            column = "id" if table in ("trace_parts", "folded_traces") else "trace_id"
            sql = f"SELECT count() AS n FROM {table} WHERE project_id = {{p:String}} AND {column} = {{t:String}}"
            rows: list[dict[str, int]] = await self.stores.clickhouse.rows(
                sql, {"p": self.project_id, "t": trace_id}, dict
            )
            found[table] = rows[0]["n"]
        return found


@pytest.fixture
async def appliance(stores: Settings) -> AsyncIterator[Appliance]:
    name = uuid.uuid4().hex
    settings = dataclasses.replace(
        stores,
        clickhouse=dataclasses.replace(stores.clickhouse, database=f"jobs_{name}"),
        init=dataclasses.replace(
            stores.init, project_id=f"jobs-{name}", public_key=f"pk-{name}", secret_key=f"sk-{name}"
        ),
    )
    await prepare(settings, lambda step: None)
    context = create_context(settings)
    await context.open()
    await context.redis.flushdb()
    await context.postgres.execute("DELETE FROM jobs")
    await context.postgres.execute("DELETE FROM projects WHERE deleted_at IS NOT NULL")
    everything = ClickHouse(settings.clickhouse)
    worker_stores = Stores(
        settings=settings,
        clickhouse=everything,
        postgres=context.postgres,
        redis=context.redis,
        stream=context.stream,
        blobs=context.blobs,
    )
    transport = httpx.ASGITransport(create_app(settings, context))
    auth = (settings.init.public_key, settings.init.secret_key)
    async with httpx.AsyncClient(transport=transport, base_url="http://test", auth=auth) as http:
        yield Appliance(context, worker_stores, http)
    await context.postgres.execute("DELETE FROM jobs")
    await everything.command("DROP DATABASE {name:Identifier}", {"name": settings.clickhouse.database})
    await everything.close()
    await context.close()
