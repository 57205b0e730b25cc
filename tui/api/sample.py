"""A gateway over made-up but lifelike data: for screenshots, and for tests that need no server."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from appliance.api_types.jobs import ApiJob
from appliance.api_types.observations import ApiObservation
from appliance.api_types.scores import ApiScore
from appliance.api_types.traces import ApiTraceDetail, ApiTraceItem
from appliance.errors import RemoteError
from appliance.model.services import ApplianceStatus
from tui.api.gateway import PAGE_ROWS, TraceQuery
from tui.api.sample_data import (
    MODELS,
    NAMES,
    QUESTIONS,
    SPEEDS,
    USERS,
    agent_run,
    many_observations,
    sample_jobs,
    sample_metrics,
    sample_status,
    texts_of,
)
from tui.model.overview import Overview, aggregate_overview
from tui.model.records import (
    Health,
    Observation,
    Server,
    Session,
    SessionRow,
    Slice,
    TraceExtras,
    TraceRow,
)
from tui.model.timerange import TimeRange, iso

ORDERED_BY: Final[dict[str, Callable[[TraceRow], Any]]] = {
    "timestamp": lambda row: row.timestamp,
    "latency": lambda row: row.latency or 0.0,
    "totalCost": lambda row: row.cost or 0.0,
    "name": lambda row: row.name,
    "userId": lambda row: row.user,
    "sessionId": lambda row: row.session,
}


class SampleGateway:
    """Holds `count` traces, the newest a few seconds old at `now`; everything is made from the index and a seed."""

    services_every_s = 2.0

    def __init__(self, count: int = 1204, *, now: datetime | None = None, observations: int = 0) -> None:
        self.now = now or datetime.now(UTC)
        self.server = Server(
            "http://127.0.0.1:3000", "pk-lf-3f6c1b0a-8d5e-4c2f", "sk-lf-9a1e77d2-52c4-4e0b", local=True,
            project="shop-assistant", project_id="p1", data_dir="~/.local/share/langfuse-local",
        )  # fmt: skip
        self.rows = [self._row(index) for index in range(count)]
        self.big = observations
        self.failure: RemoteError | None = None
        self.healthy = Health(ok=True, version="3.225.4")
        self.pages_asked: list[int] = []
        self.queries: list[TraceQuery] = []
        self.controlled: list[tuple[str, str]] = []
        self.written: asyncio.Queue[list[str]] = asyncio.Queue()

    def add_trace(self, name: str = "support-agent") -> TraceRow:
        """A trace that just came in."""
        self.now += timedelta(seconds=1)
        question, answer = QUESTIONS[len(self.rows) % len(QUESTIONS)]
        row = TraceRow(id=f"new-{len(self.rows)}", timestamp=self.now, name=name, input=question, output=answer)
        self.rows.insert(0, row)
        self.written.put_nowait([row.id])
        return row

    def _row(self, index: int) -> TraceRow:
        dice = random.Random(index)
        name = dice.choices(NAMES, weights=(8, 5, 3, 3, 4))[0]
        question, answer = dice.choice(QUESTIONS)
        latency = SPEEDS[name] * dice.lognormvariate(0, 0.45)
        failed, warned = dice.random() < 0.07, dice.random() < 0.08
        steps = dice.randint(3, 14)
        tokens = dice.randint(300, 5200)
        levels = (
            {"DEFAULT": steps} | ({"ERROR": 1} if failed else {}) | ({"WARNING": dice.randint(1, 3)} if warned else {})
        )
        scores = (
            [ApiScore(id=f"s{index}", name="helpful", value=round(dice.uniform(0.55, 1.0), 2))]
            if dice.random() < 0.4
            else []
        )
        return TraceRow(
            id=f"{dice.getrandbits(128):032x}",
            timestamp=self.now - timedelta(seconds=3 + index * 47 + dice.random() * 30),
            name=name,
            input=question,
            output="" if failed else answer,
            user=dice.choice(USERS),
            session=f"chat-{index // 4:04}",
            environment="production" if dice.random() < 0.8 else "staging",
            tags=("prod", "v2") if dice.random() < 0.3 else (),
            bookmarked=dice.random() < 0.03,
            latency=latency,
            cost=tokens * dice.choice(MODELS)[1],
            observation_count=steps,
            score_ids=tuple(score.id for score in scores),
            extras=TraceExtras(tokens, levels, tuple(scores)),
        )

    def _check(self) -> None:
        if self.failure is not None:
            raise self.failure

    async def connect(self) -> Server:
        self._check()
        return self.server

    async def close(self) -> None:
        return None

    async def health(self) -> Health:
        self._check()
        return self.healthy

    async def trace_page(self, query: TraceQuery, page: int) -> Slice[TraceRow]:
        self._check()
        self.pages_asked.append(page)
        self.queries.append(query)
        column, _, direction = query.order.partition(".")
        rows = [row for row in self.rows if _matches(row, query)]
        rows.sort(key=ORDERED_BY[column], reverse=direction == "desc")
        start = (page - 1) * PAGE_ROWS
        return Slice(rows[start : start + PAGE_ROWS], len(rows))

    async def trace_extras(self, rows: Sequence[TraceRow]) -> dict[str, TraceExtras]:
        self._check()
        return {row.id: row.extras for row in rows if row.extras is not None}

    async def trace(self, trace_id: str) -> ApiTraceDetail:
        self._check()
        row = next((row for row in self.rows if row.id == trace_id), None)
        if row is None:
            raise RemoteError(f"Trace {trace_id} not found within authorized project", status=404)
        scores = [
            *(row.extras.scores if row.extras else ()),
            ApiScore(
                id="g",
                name="grounded",
                value=1,
                data_type="BOOLEAN",
                source="EVAL",
                trace_id=row.id,
                observation_id=f"{trace_id[:8]}-2",
            ),
        ]
        return ApiTraceDetail(
            id=row.id, timestamp=iso(row.timestamp), name=row.name, user_id=row.user, session_id=row.session,
            environment=row.environment, tags=list(row.tags), input={"question": row.input},
            output={"answer": row.output} if row.output else None,
            metadata={"tenant": "acme", "channel": "web", "experiment": {"name": "rerank-v2", "arm": "b"}},
            scores=scores, total_cost=row.cost, latency=row.latency,
        )  # fmt: skip

    async def trace_observations(self, trace_id: str) -> AsyncIterator[list[Observation]]:
        self._check()
        row = next((row for row in self.rows if row.id == trace_id), None)
        if row is None:
            return
        if self.big:
            rows = many_observations(self.big, row.timestamp)
            for start in range(0, len(rows), 1000):
                yield rows[start : start + 1000]
            return
        yield agent_run(row)

    async def observation(self, observation_id: str) -> ApiObservation:
        self._check()
        return texts_of(observation_id)

    async def observation_page(self, conditions: Sequence[Mapping[str, Any]], page: int) -> Slice[Observation]:
        self._check()
        observations = [one for row in self.rows[:40] for one in agent_run(row)]
        wanted = next((condition["value"] for condition in conditions if condition["column"] == "type"), None)
        kept = [one for one in observations if wanted is None or one.type in wanted]
        start = (page - 1) * PAGE_ROWS
        return Slice(kept[start : start + PAGE_ROWS], len(kept))

    async def session_page(self, page: int) -> Slice[SessionRow]:
        self._check()
        firsts = {row.session: row for row in self.rows if row.session}
        sessions = [
            SessionRow(id=key, created_at=row.timestamp, environment=row.environment) for key, row in firsts.items()
        ]
        start = (page - 1) * PAGE_ROWS
        return Slice(sessions[start : start + PAGE_ROWS], len(sessions))

    async def session(self, session_id: str) -> Session:
        self._check()
        rows = [row for row in self.rows if row.session == session_id]
        if not rows:
            raise RemoteError(f"Session {session_id} not found within authorized project", status=404)
        return Session(session_id, [_turn(row) for row in reversed(rows)])

    async def overview(self, span: TimeRange) -> Overview:
        self._check()
        return aggregate_overview(sample_metrics(self.rows, span, self.now), span, self.now)

    async def live(self) -> AsyncIterator[list[str]]:
        while True:
            yield await self.written.get()

    async def jobs(self) -> list[ApiJob]:
        self._check()
        return sample_jobs()

    async def status(self) -> ApplianceStatus:
        self._check()
        return sample_status()

    async def logs(self, service: str, lines: int) -> AsyncIterator[str]:
        for index in range(40):
            moment = self.now - timedelta(seconds=40 - index)
            level = "WARN " if index == 17 else "INFO "
            yield f"{moment.astimezone():%H:%M:%S} {level} {service}: {_LOG[index % len(_LOG)]}"

    async def control(self, service: str, verb: str) -> None:
        self._check()
        self.controlled.append((service, verb))

    async def start(self, runtime: str = "") -> AsyncIterator[str]:
        for step in ("postgres   started in 0.9 s", "redis      started in 0.1 s", "clickhouse started in 0.8 s"):
            yield step


_LOG: Final = (
    "batch of 12 requests, 148 rows written in 31 ms",
    "heartbeat",
    "3 requests read, backlog 0",
    "POST /api/public/otel/v1/traces 200 in 4 ms",
)


def _matches(row: TraceRow, query: TraceQuery) -> bool:
    if query.since and row.timestamp < query.since:
        return False
    for condition in query.conditions:
        if condition["column"] == "name" and row.name not in condition["value"]:
            return False
        if condition["column"] == "search" and condition["value"].lower() not in f"{row.input} {row.output}".lower():
            return False
    return True


def _turn(row: TraceRow) -> ApiTraceItem:
    return ApiTraceItem(
        id=row.id, timestamp=iso(row.timestamp), name=row.name, user_id=row.user, session_id=row.session,
        environment=row.environment, tags=list(row.tags), input={"question": row.input},
        output={"answer": row.output} if row.output else None, total_cost=row.cost, latency=row.latency,
    )  # fmt: skip
