"""The only module that connects to anything: to a Langfuse server's public API, and to the local supervisor."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import msgspec
from msgspec.structs import replace

from appliance.api_types.jobs import ApiJob
from appliance.api_types.observations import ApiObservation
from appliance.api_types.pages import ApiList, ApiPage
from appliance.api_types.scores import ApiScore
from appliance.api_types.traces import ApiTraceDetail, ApiTraceItem
from appliance.client import ControlClient, LangfuseClient, Param, segment
from appliance.errors import NotRunning, RemoteError
from appliance.http_client import HttpClient
from appliance.model.services import ApplianceStatus
from appliance.own_command import own_command
from tui.api import local
from tui.model.overview import Overview, aggregate_overview, number, overview_queries
from tui.model.records import (
    Health,
    Observation,
    Server,
    Session,
    SessionRow,
    Slice,
    TraceExtras,
    TraceRow,
    session_row,
    trace_row,
)
from tui.model.timerange import TimeRange, iso

PAGE_ROWS = 50
OBSERVATIONS_AT_ONCE = 1000
METRICS_AT_ONCE = 4
TURN_PAGES = 10
"""Most pages of a hundred turns that a session shows."""


class TraceQuery(msgspec.Struct, frozen=True):
    """Which traces, in which order."""

    conditions: tuple[Mapping[str, Any], ...] = ()
    """Of the API's `filter` parameter."""
    order: str = "timestamp.desc"
    since: datetime | None = None
    """Only traces that began then or later."""


class Gateway(Protocol):
    """What the screens need; every method raises RemoteError with a sentence for the banner."""

    server: Server
    services_every_s: float
    """Seconds between two looks at its services; 0 where they cannot be observed."""

    async def connect(self) -> Server: ...
    async def close(self) -> None: ...
    async def health(self) -> Health: ...
    async def trace_page(self, query: TraceQuery, page: int) -> Slice[TraceRow]: ...
    async def trace_extras(self, rows: Sequence[TraceRow]) -> dict[str, TraceExtras]: ...
    async def trace(self, trace_id: str) -> ApiTraceDetail: ...
    def trace_observations(self, trace_id: str) -> AsyncIterator[list[Observation]]: ...
    async def observation(self, observation_id: str) -> ApiObservation: ...
    async def observation_page(self, conditions: Sequence[Mapping[str, Any]], page: int) -> Slice[Observation]: ...
    async def session_page(self, page: int) -> Slice[SessionRow]: ...
    async def session(self, session_id: str) -> Session: ...
    async def overview(self, span: TimeRange) -> Overview: ...
    def live(self) -> AsyncIterator[list[str]]: ...
    async def status(self) -> ApplianceStatus: ...
    async def jobs(self) -> list[ApiJob]: ...
    def logs(self, service: str, lines: int) -> AsyncIterator[str]: ...
    async def control(self, service: str, verb: str) -> None: ...
    def start(self, runtime: str = "") -> AsyncIterator[str]: ...


class RemoteGateway:
    """A server known by URL and keys."""

    services_every_s = 0.0

    def __init__(self, server: Server, ca_file: Path | None = None, http: HttpClient | None = None) -> None:
        self.server = server
        self._client = LangfuseClient(server.url, server.public_key, server.secret_key, ca_file=ca_file, http=http)
        self._has_tree = True
        """False once the server has turned out not to be an appliance."""

    async def connect(self) -> Server:
        """Checks the keys; the answer names their project."""
        projects = await self._client.projects()
        if projects:
            self.server = replace(self.server, project=projects[0].name, project_id=projects[0].id)
        return self.server

    async def close(self) -> None:
        await self._client.close()

    async def health(self) -> Health:
        """The server's health, also when it is unhealthy; raises RemoteError only when it does not answer at all."""
        try:
            answer = await self._client.health()
        except RemoteError as error:
            if error.status < 500:
                raise
            return Health(ok=False, reason=error.message)
        version = answer.langfuse_local_version or answer.version
        return Health(ok=True, version=version, dead_letters=answer.dead_letters)

    async def trace_page(self, query: TraceQuery, page: int) -> Slice[TraceRow]:
        params: dict[str, Param] = {
            "page": page,
            "limit": PAGE_ROWS,
            "orderBy": query.order,
            "fields": "core,io,scores,observations,metrics",
            "fromTimestamp": iso(query.since) if query.since else None,
            "filter": list(query.conditions) or None,
        }
        traces = await self._client.traces(**params)
        return Slice([trace_row(trace) for trace in traces.data], traces.meta.total_items)

    async def trace_extras(self, rows: Sequence[TraceRow]) -> dict[str, TraceExtras]:
        """Tokens, level counts and scores of the given traces, in two requests."""
        if not rows:
            return {}
        scored = [identity for row in rows for identity in row.score_ids]
        measured, scores = await asyncio.gather(self._levels(rows), self._scores(scored))
        by_trace: dict[str, list[ApiScore]] = {}
        for score in scores:
            by_trace.setdefault(score.trace_id or "", []).append(score)
        return {row.id: _extras(measured.get(row.id, []), by_trace.get(row.id, [])) for row in rows}

    async def _levels(self, rows: Sequence[TraceRow]) -> dict[str, list[Mapping[str, Any]]]:
        query = {
            "view": "observations",
            "dimensions": [{"field": "traceId"}, {"field": "level"}],
            "metrics": [
                {"measure": "count", "aggregation": "count"},
                {"measure": "totalTokens", "aggregation": "sum"},
            ],
            "filters": [
                {"column": "traceId", "operator": "any of", "value": [row.id for row in rows], "type": "stringOptions"}
            ],
            "fromTimestamp": iso(min(row.timestamp for row in rows)),
            "toTimestamp": iso(datetime.now(UTC)),
            "config": {"row_limit": 1000},
        }
        by_trace: dict[str, list[Mapping[str, Any]]] = {}
        for row in await self._client.metrics(query):
            by_trace.setdefault(str(row.get("traceId")), []).append(row)
        return by_trace

    async def _scores(self, ids: Sequence[str]) -> list[ApiScore]:
        if not ids:
            return []
        return (await self._client.scores(scoreIds=",".join(ids[:100]), limit=100)).data

    async def trace(self, trace_id: str) -> ApiTraceDetail:
        return await self._client.trace(trace_id, fields="core,io,scores")

    async def trace_observations(self, trace_id: str) -> AsyncIterator[list[Observation]]:
        """All observations of a trace, without their texts, in batches."""
        if self._has_tree:
            try:
                async for batch in self._tree(trace_id):
                    yield batch
                return
            except RemoteError as error:
                if error.status != 404:
                    raise
                self._has_tree = False
        async for batch in self._observations_by_cursor(trace_id):
            yield batch

    async def _tree(self, trace_id: str) -> AsyncIterator[list[Observation]]:
        """The tree that only an appliance has: the first rows at once, all others in one more request."""
        path, first = f"/api/local/traces/{segment(trace_id)}/tree", OBSERVATIONS_AT_ONCE
        rows = (await self._client.get(path, {"limit": first}, into=ApiList[Observation])).data
        yield rows
        if len(rows) == first:
            yield (await self._client.get(path, {"offset": first}, into=ApiList[Observation])).data

    async def _observations_by_cursor(self, trace_id: str) -> AsyncIterator[list[Observation]]:
        params: dict[str, Param] = {
            "traceId": trace_id,
            "fields": "core,basic,time,model,usage,prompt",
            "limit": OBSERVATIONS_AT_ONCE,
        }
        try:
            while True:
                page = await self._client.get("/api/public/v2/observations", params, into=ApiPage[Observation])
                yield page.data
                if not page.meta.cursor:
                    return
                params["cursor"] = page.meta.cursor
        except RemoteError as error:
            if error.status != 404:
                raise
        async for batch in self._observations_by_page(trace_id):
            yield batch

    async def _observations_by_page(self, trace_id: str) -> AsyncIterator[list[Observation]]:
        page_number, pages = 1, 1
        while page_number <= pages:
            params: dict[str, Param] = {"traceId": trace_id, "page": page_number, "limit": 100}
            page = await self._client.get("/api/public/observations", params, into=ApiPage[Observation])
            yield page.data
            page_number, pages = page_number + 1, page.meta.total_pages or 1

    async def observation(self, observation_id: str) -> ApiObservation:
        return await self._client.observation(observation_id)

    async def observation_page(self, conditions: Sequence[Mapping[str, Any]], page: int) -> Slice[Observation]:
        params: dict[str, Param] = {"page": page, "limit": PAGE_ROWS, "filter": list(conditions) or None}
        observations = await self._client.get("/api/public/observations", params, into=ApiPage[Observation])
        return Slice(observations.data, observations.meta.total_items)

    async def session_page(self, page: int) -> Slice[SessionRow]:
        sessions = await self._client.sessions(page=page, limit=PAGE_ROWS)
        return Slice([session_row(session) for session in sessions.data], sessions.meta.total_items)

    async def session(self, session_id: str) -> Session:
        """The session with the texts and figures of its traces, which the answer about a session lacks."""
        await self._client.session(session_id)  # 404 when there is none
        turns: list[ApiTraceItem] = []
        for page_number in range(1, TURN_PAGES + 1):
            page = await self._client.traces(
                sessionId=session_id, limit=100, page=page_number, orderBy="timestamp.asc", fields="core,io,metrics"
            )
            turns += page.data
            if len(turns) >= (page.meta.total_items or 0):
                break
        return Session(session_id, turns)

    async def overview(self, span: TimeRange) -> Overview:
        """The home screen's figures, a few queries at a time."""
        now = datetime.now(UTC)
        queries = overview_queries(span, now)
        gate = asyncio.Semaphore(METRICS_AT_ONCE)

        async def ask(query: dict[str, Any]) -> list[dict[str, Any]]:
            async with gate:
                return await self._client.metrics(query)

        answers = await asyncio.gather(*(ask(query) for query in queries.values()))
        return aggregate_overview(dict(zip(queries, answers, strict=True)), span, now)

    async def live(self) -> AsyncIterator[list[str]]:
        """Ids of traces as they are written, none as a sign of life; RemoteError 404 where there is no live stream."""
        async for arrival in self._client.live():
            yield arrival.trace_ids

    async def jobs(self) -> list[ApiJob]:
        """The background jobs that wait, run or have failed, newest first; of langfuse-local only."""
        return await self._client.jobs(state="waiting,running,failed")

    async def status(self) -> ApplianceStatus:
        raise _not_here()

    def logs(self, service: str, lines: int) -> AsyncIterator[str]:
        raise _not_here()

    async def control(self, service: str, verb: str) -> None:
        raise _not_here()

    def start(self, runtime: str = "") -> AsyncIterator[str]:
        raise _not_here()


class LocalGateway(RemoteGateway):
    """The appliance of a data directory on this machine, which may have to be started first."""

    services_every_s = 2.0

    def __init__(self, data_dir: Path, *, may_start: bool) -> None:
        super().__init__(Server("", "", "", local=True, data_dir=str(data_dir)))
        self._data_dir = data_dir
        self._may_start = may_start
        self.has_started = False
        """Whether `start` has started the appliance."""
        self._address = ""
        self._control: ControlClient | None = None

    async def connect(self) -> Server:
        """Finds the running appliance by its state file; raises NotRunning when there is none."""
        appliance = await asyncio.to_thread(local.find_appliance, self._data_dir)
        await self.close()
        self.server, self._address = appliance.server, appliance.address
        self._client = LangfuseClient(
            appliance.address, appliance.server.public_key, appliance.server.secret_key, public_url=appliance.server.url
        )
        self._control = ControlClient(appliance.socket)
        return await super().connect()

    async def health(self) -> Health:
        """The server's health; connects again to an appliance that came back at another address or with other keys."""
        try:
            return await super().health()
        except RemoteError as error:
            if error.status:
                raise
        try:
            appliance = await asyncio.to_thread(local.find_appliance, self._data_dir)
        except NotRunning as error:
            raise RemoteError("The appliance has stopped.", hint=error.hint) from error
        if appliance.address != self._address or appliance.server.secret_key != self.server.secret_key:
            await self.connect()
        return await super().health()

    async def close(self) -> None:
        await super().close()
        if self._control is not None:
            await self._control.close()

    async def status(self) -> ApplianceStatus:
        return await self._supervisor().status()

    async def logs(self, service: str, lines: int) -> AsyncIterator[str]:
        async for line in self._supervisor().logs(service, lines=lines, follow=True):
            yield line

    async def control(self, service: str, verb: str) -> None:
        await self._supervisor().control(service, verb)

    async def start(self, runtime: str = "") -> AsyncIterator[str]:
        """Starts the appliance in the background and yields the lines that it prints; raises NotRunning when it fails.

        `runtime` is how its stores run; empty for the one in the settings.
        """
        if not self._may_start:
            raise NotRunning(f"Nothing runs on {self._data_dir}.", hint="Start it: langfuse-local up --detach")
        choice = ("--runtime", runtime) if runtime else ()
        command = own_command("appliance", "up", "--detach", "--data-dir", str(self._data_dir), *choice)
        process = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        assert process.stdout is not None
        last = ""
        async for raw in process.stdout:
            last = raw.decode(errors="replace").rstrip() or last
            yield last
        if await process.wait() != 0:
            raise NotRunning(
                f"The appliance did not start: {last}", hint="`langfuse-local doctor` looks for the cause."
            )
        self.has_started = True

    def _supervisor(self) -> ControlClient:
        if self._control is None:
            raise NotRunning(f"Nothing runs on {self._data_dir}.", hint="Start it: langfuse-local up --detach")
        return self._control


def _extras(measured: Sequence[Mapping[str, Any]], scores: Sequence[ApiScore]) -> TraceExtras:
    levels = {str(row.get("level")): int(number(row.get("count_count"))) for row in measured}
    tokens = sum(int(number(row.get("sum_totalTokens"))) for row in measured)
    return TraceExtras(tokens, levels, tuple(sorted(scores, key=lambda score: score.name)))


def _not_here() -> RemoteError:
    return RemoteError(
        "This server was attached by its address, so its services cannot be seen or controlled from here.",
        hint="Run langfuse-local on its machine to do that.",
    )
