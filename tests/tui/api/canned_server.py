"""A Langfuse server in place of the HTTP client: it answers with the data of a sample, in the words of the API."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from urllib.parse import unquote

import msgspec

from appliance.http_client import Request, Response, StreamingResponse
from tests.answered import Answered, answer_of, params, path
from tui.api.sample import SampleGateway
from tui.api.sample_data import agent_run, sample_jobs, texts_of
from tui.model.records import Health, TraceRow

Json = dict[str, Any]

ORDERS: dict[str, Callable[[TraceRow], Any]] = {
    "timestamp": lambda row: row.timestamp,
    "latency": lambda row: row.latency or 0.0,
    "totalCost": lambda row: row.cost or 0.0,
    "name": lambda row: row.name,
}


class CannedServer(Answered):
    """`refusal` is what it says to everything once it is set."""

    def __init__(self, sample: SampleGateway) -> None:
        super().__init__(self._reply)
        self._rows = sample.rows
        self._project = {"id": sample.server.project_id, "name": sample.server.project}
        self.health = sample.healthy
        self.refusal: Response | None = None
        self.written: asyncio.Queue[list[str]] = asyncio.Queue()

    @asynccontextmanager
    async def open(self, request: Request, *, read_s: float | None) -> AsyncIterator[StreamingResponse]:
        assert path(request) == "/api/local/live"
        yield Events(self.written)

    def _reply(self, request: Request) -> Response:
        if self.refusal is not None:
            return self.refusal
        asked = params(request)
        match [unquote(word) for word in path(request).removeprefix("/api/").split("/")]:
            case [_, "traces" | "observations" | "sessions", _, *_] as words:
                return self._one(*words[1:])
            case ["public", "traces"]:
                return self._traces(asked)
            case ["public", "observations"]:
                return self._observations(asked)
            case ["public", "sessions"]:
                return _page(self._all_sessions(), asked)
            case ["public", "v2", "scores"]:
                wanted = asked["scoreIds"].split(",")
                return answer_of(200, {"data": [score for score in self._scores() if score["id"] in wanted]})
            case ["public", "metrics"]:
                return answer_of(200, {"data": self._metrics(json.loads(asked["query"]))})
            case ["public", "projects"]:
                return answer_of(200, {"data": [self._project]})
            case ["public", "health"]:
                return _health(self.health)
            case ["local", "jobs"]:
                return answer_of(200, {"data": [plain(job) for job in sample_jobs()]})
        return answer_of(404, {"message": f"There is no {path(request)}."})

    def _one(self, noun: str, id: str, *rest: str) -> Response:
        if rest == ("tree",):
            observations = [one for row in self._rows if row.id == id for one in agent_run(row)]
            return answer_of(200, {"data": [plain(one) for one in observations]})
        if noun == "traces":
            return self._trace(id)
        if noun == "observations":
            return answer_of(200, plain(texts_of(id)))
        found = [session for session in self._all_sessions() if session["id"] == id]
        return answer_of(200, found[0]) if found else _missing(f"Session {id}")

    def _traces(self, asked: Mapping[str, str]) -> Response:
        rows = list(self._rows)
        if since := asked.get("fromTimestamp"):
            rows = [row for row in rows if row.timestamp >= datetime.fromisoformat(since)]
        if session := asked.get("sessionId"):
            rows = [row for row in rows if row.session == session]
        for condition in json.loads(asked.get("filter", "[]")):
            assert (condition["column"], condition["operator"]) == ("name", "any of")
            rows = [row for row in rows if row.name in condition["value"]]
        column, _, direction = asked["orderBy"].partition(".")
        rows.sort(key=ORDERS[column], reverse=direction == "desc")
        return _page([_trace_item(row) for row in rows], asked)

    def _trace(self, id: str) -> Response:
        for row in self._rows:
            if row.id == id:
                scores = [score for score in self._scores() if score["traceId"] == id]
                return answer_of(200, _trace_item(row) | {"observations": [], "scores": scores})
        return _missing(f"Trace {id}")

    def _observations(self, asked: Mapping[str, str]) -> Response:
        found = [one for row in self._rows[:40] for one in agent_run(row)]
        for condition in json.loads(asked.get("filter", "[]")):
            assert (condition["column"], condition["operator"]) == ("type", "any of")
            found = [one for one in found if one.type in condition["value"]]
        return _page([plain(one) for one in found], asked)

    def _all_sessions(self) -> list[Json]:
        firsts = {row.session: row for row in self._rows if row.session}
        return [{"id": id, "createdAt": row.timestamp.isoformat()} for id, row in firsts.items()]

    def _scores(self) -> list[Json]:
        return [{**plain(score), "traceId": row.id} for row in self._rows if row.extras for score in row.extras.scores]

    def _metrics(self, query: Json) -> list[Json]:
        start, end = (datetime.fromisoformat(query[name]) for name in ("fromTimestamp", "toTimestamp"))
        rows = [row for row in self._rows if start <= row.timestamp <= end]
        dimensions = [dimension["field"] for dimension in query["dimensions"]]
        if dimensions == ["traceId", "level"]:
            (wanted,) = (condition["value"] for condition in query["filters"])
            return [line for row in rows if row.id in wanted for line in _levels(row)]
        if query["view"] == "traces" and not query["timeDimension"]:
            if not dimensions:
                return [{"count_count": str(len(rows)), "p95_latency": 5210}]
            counts = Counter(row.name for row in rows)
            return [{"name": name, "count_count": str(count), "p50_latency": 1} for name, count in counts.items()]
        return []


class Events(StreamingResponse):
    """The stream of live events."""

    def __init__(self, written: asyncio.Queue[list[str]]) -> None:
        self.status = 200
        self._written = written

    async def parts(self) -> AsyncGenerator[bytes]:
        while True:
            ids = await self._written.get()
            yield f"event: traces\ndata: {json.dumps(ids)}\n\n".encode()


def plain(record: msgspec.Struct) -> Json:
    found: Json = msgspec.to_builtins(record)
    return found


def _trace_item(row: TraceRow) -> Json:
    return {
        "id": row.id, "timestamp": row.timestamp.isoformat(), "name": row.name, "userId": row.user,
        "sessionId": row.session, "environment": row.environment, "tags": list(row.tags), "bookmarked": row.bookmarked,
        "input": row.input, "output": row.output or None, "latency": row.latency, "totalCost": row.cost,
        "scores": list(row.score_ids), "observations": ["o"] * (row.observation_count or 0),
    }  # fmt: skip


def _levels(row: TraceRow) -> list[Json]:
    """Counts come as strings, as ClickHouse says 64-bit integers; all tokens are with the first level."""
    assert row.extras is not None
    return [
        {
            "traceId": row.id,
            "level": level,
            "count_count": str(count),
            "sum_totalTokens": str(row.extras.tokens * (not at)),
        }
        for at, (level, count) in enumerate(row.extras.levels.items())
    ]


def _page(items: Sequence[Json], asked: Mapping[str, str]) -> Response:
    page, limit = int(asked["page"]), int(asked["limit"])
    return answer_of(200, {"data": items[(page - 1) * limit : page * limit], "meta": {"totalItems": len(items)}})


def _health(health: Health) -> Response:
    if not health.ok:
        return answer_of(503, {"message": health.reason})
    return answer_of(
        200,
        {"status": "OK", "version": "3", "langfuseLocalVersion": health.version, "deadLetters": health.dead_letters},
    )


def _missing(what: str) -> Response:
    return answer_of(404, {"message": f"{what} not found within authorized project", "error": "LangfuseNotFoundError"})
