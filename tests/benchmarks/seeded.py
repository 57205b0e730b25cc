"""Reads of what `tests.benchmarks.seed` made, and what their answers must hold."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import httpx

from appliance.storage.clickhouse.client import ClickHouse
from tests.benchmarks.seed import LARGE_TRACE, OBSERVATIONS_PER_TRACE

Params = dict[str, str | int]
Answer = Any
PAGE: Final = 50
LARGE: Final = 5000
_LIST: Final = "/api/public/traces"
_METRICS: Final = "/api/public/metrics"
_TOTALS: Final = "core,metrics,observations,scores"
_MODELS: Final = ("gpt-4o", "gpt-4o-mini", "claude-sonnet-4-5", "gemini-2.5-pro", "llama-3.1-70b")
_NAMES: Final = ("support-chat", "rag-answer", "summarise-ticket", "sql-agent", "email-draft")
_TAGS: Final = ("prod", "staging", "canary", "rag", "support", "sales", "eu", "us", "beta", "batch")
_COMMON_WORDS: Final = ("assistant", "helpful", "system", "content", "role")
_COUNT: Final = "SELECT uniqExact(id) AS traces FROM trace_parts WHERE project_id = {project_id:String}"
_COUNT_OF_SEED: Final = """
SELECT uniqExact(id) AS traces FROM trace_parts
WHERE project_id = {project_id:String} AND startsWith(ifNull(session_id, ''), {prefix:String})
"""


@dataclass(frozen=True, slots=True)
class Read:
    """One line of the table: the request of the n-th run, and what its answer must hold."""

    name: str
    goal_ms: int
    request: Callable[[int], tuple[str, Params]]
    check: Callable[[Answer, int], None]
    goal_times: int = 0
    """How many times `SELECT 1` it may take, where that is a goal."""


@dataclass(frozen=True, slots=True)
class Seeded:
    """What ClickHouse says of the project that is read."""

    seed: str
    traces: int
    """Of the whole project."""
    of_seed: int
    trace_ids: list[str]
    users: list[str]
    """Those of these traces."""

    @classmethod
    async def look(
        cls, clickhouse: ClickHouse, http: httpx.AsyncClient, project_id: str, seed: str, runs: int
    ) -> Seeded:
        """Raises AssertionError when the project holds nothing of the seed, or web reads another project."""
        traces, of_seed = await count(clickhouse, project_id), await count(clickhouse, project_id, seed)
        assert of_seed, f"the project {project_id} holds nothing of the seed {seed!r}: nothing can be measured"
        answer = await http.get(_LIST, params={"limit": 1})
        assert answer.status_code == 200, answer.text[:300]
        told = answer.json()["meta"]["totalItems"]
        assert told == traces, f"web tells of {told} traces, but {traces} lie in {project_id}: is it another project?"
        ids, users = [], []
        for number in range(runs):
            params: Params = {"limit": 1, "fields": "core", "toTimestamp": _ago(1 + 28 * number / runs)}
            params["name"] = _NAMES[number % len(_NAMES)]
            for row in (await http.get(_LIST, params=params)).json()["data"]:
                ids.append(row["id"])
                users.append(row["userId"])
        assert ids, "no trace lies in the last month"
        return cls(seed, traces, of_seed, ids, users)


async def count(clickhouse: ClickHouse, project_id: str, seed: str = "") -> int:
    """How many traces lie in a project, or how many of them a seed made; by the tables, not by any endpoint."""
    params = {"project_id": project_id, "prefix": f"session-{seed}-"}
    rows: list[dict[str, int]] = await clickhouse.rows(_COUNT_OF_SEED if seed else _COUNT, params, dict)
    return rows[0]["traces"]


def lists(seeded: Seeded) -> Iterator[Read]:
    """The reads that must stay quick while much is new."""

    def session(run: int) -> str:
        return f"session-{seeded.seed}-{run * 900 % max(seeded.of_seed // 5, 1):07d}"

    def user(run: int) -> str:
        return seeded.users[run % len(seeded.users)]

    def with_totals(answer: Answer, run: int) -> None:
        _is_page(answer)
        for row in answer["data"]:
            assert len(row["observations"]) in (OBSERVATIONS_PER_TRACE, LARGE), f"{row['id']}: {row['observations']}"
            assert row["latency"] > 0, f"{row['id']} took no time"

    def of_user(answer: Answer, run: int) -> None:
        _is_some(answer)
        assert {row["userId"] for row in answer["data"]} == {user(run)}

    def of_session(answer: Answer, run: int) -> None:
        _is_some(answer)
        assert {row["sessionId"] for row in answer["data"]} == {session(run)}

    def of_tag(answer: Answer, run: int) -> None:
        _is_page(answer)
        assert all(_TAGS[run % 10] in row["tags"] for row in answer["data"])

    def of_id(answer: Answer, run: int) -> None:
        assert answer["id"] == seeded.trace_ids[run % len(seeded.trace_ids)]
        assert len(answer["observations"]) == OBSERVATIONS_PER_TRACE, len(answer["observations"])
        assert all(row["traceId"] == answer["id"] for row in answer["observations"])

    yield Read(
        "traces, page of 50 with cost, latency and counts", 100, lambda run: _page(run, fields=_TOTALS), with_totals, 15
    )
    yield Read("traces of a user", 250, lambda run: _traces(userId=user(run)), of_user)
    yield Read("traces of a session", 250, lambda run: _traces(sessionId=session(run)), of_session)
    yield Read("traces with a tag", 250, lambda run: _traces(tags=_TAGS[run % 10]), of_tag)
    yield Read(
        "trace by id, 8 observations",
        40,
        lambda run: (f"{_LIST}/{seeded.trace_ids[run % len(seeded.trace_ids)]}", {}),
        of_id,
        8,
    )


def reads(seeded: Seeded) -> Iterator[Read]:
    """All lines of the table."""
    yield from lists(seeded)
    yield Read("traces, page of 50 with input and output", 200, _page, _each(lambda row, _: row["input"] is not None))
    yield Read("traces with a model", 250, lambda run: _any_of("model", _MODELS[run % 5]), _is_page)
    yield Read(
        "traces with level ERROR", 250, lambda run: _where("string", "level", "=", "ERROR", page=run + 1), _is_some
    )
    yield Read(
        "traces with a metadata key",
        250,
        lambda run: _where("stringObject", "metadata", "=", f"t{run % 40}", "tenant"),
        _each(lambda row, run: row["metadata"]["tenant"] == f"t{run % 40}"),
    )
    yield Read(
        "traces with a name",
        700,
        lambda run: _traces(name=_NAMES[run % 5], page=run + 1),
        _each(lambda row, run: row["name"] == _NAMES[run % 5]),
    )
    yield Read(
        "traces of an environment",
        700,
        lambda run: _traces(environment=("staging", "production")[run % 2]),
        _each(lambda row, run: row["environment"] == ("staging", "production")[run % 2]),
    )
    yield Read(
        "traces that cost more than",
        700,
        lambda run: _where("number", "totalCost", ">", 0.005 + run / 2000),
        _each(lambda row, run: row["totalCost"] > 0.005 + run / 2000),
    )
    yield Read(
        "traces that took longer than",
        700,
        lambda run: _where("number", "latency", ">", 4 + run / 3),
        _each(lambda row, run: row["latency"] > 4 + run / 3),
    )
    last_page = max(seeded.traces // PAGE - 1, 1)
    yield Read("traces, page 1,000", 400, lambda run: _page((999 + run) % last_page, fields=_TOTALS), _is_page)
    yield Read("traces by cost, 7 days", 800, lambda run: _sorted("totalCost.desc", run, days=7), _falls("totalCost"))
    yield Read("traces by latency, 7 days", 800, lambda run: _sorted("latency.desc", run, days=7), _falls("latency"))
    yield Read("traces by name, all", 700, lambda run: _traces(orderBy="name.asc", page=run + 1), _is_page)
    yield from _others(seeded)


def _others(seeded: Seeded) -> Iterator[Read]:
    def is_large(answer: Answer, run: int) -> None:
        assert len(answer["observations"]) == LARGE, f"{len(answer['observations'])} observations of the large trace"

    def is_rare(answer: Answer, run: int) -> None:
        _is_some(answer)
        expected = -(-seeded.of_seed // 1000)
        assert answer["meta"]["totalItems"] == expected, f"{answer['meta']['totalItems']} instead of {expected}"

    def is_table(answer: Answer, run: int) -> None:
        assert answer["data"], "an empty table"

    yield Read("trace by id, 5,000 observations", 600, lambda run: (f"{_LIST}/{LARGE_TRACE}", {}), is_large)
    yield Read("observations v2, page of 50", 100, _observations, _is_page_without_total)
    yield Read(
        "rare word in all text",
        300,
        lambda run: _where("string", "search", "contains", f"zqneedle{seeded.seed}"),
        is_rare,
    )
    yield Read(
        "common word in all text",
        300,
        lambda run: _where("string", "search", "contains", _COMMON_WORDS[run % 5]),
        _is_page,
    )
    yield Read("tokens and cost by hour and model, 7 days", 300, lambda run: _metric(_BY_HOUR, 7, run), is_table)
    yield Read("p95 latency by name, 30 days", 700, lambda run: _metric(_P95_LATENCY, 30, run), is_table)
    yield Read("cost by user, 400 days", 700, lambda run: _metric(_BY_USER, 400, run), is_table)


def _is_page_without_total(answer: Answer, run: int = 0) -> None:
    assert len(answer["data"]) == PAGE, f"{len(answer['data'])} rows instead of {PAGE}"


def _is_page(answer: Answer, run: int = 0) -> None:
    _is_page_without_total(answer)
    assert answer["meta"]["totalItems"] >= PAGE, f"{answer['meta']['totalItems']} in all"


def _is_some(answer: Answer, run: int = 0) -> None:
    rows, total = len(answer["data"]), answer["meta"]["totalItems"]
    assert rows and rows <= total, f"{rows} rows of {total}"


def _each(test: Callable[[Any, int], bool]) -> Callable[[Answer, int], None]:
    def check(answer: Answer, run: int) -> None:
        _is_some(answer)
        wrong = [row["id"] for row in answer["data"] if not test(row, run)]
        assert not wrong, f"{len(wrong)} rows do not pass the filter, {wrong[0]} is one"

    return check


def _falls(field: str) -> Callable[[Answer, int], None]:
    def check(answer: Answer, run: int) -> None:
        _is_page(answer)
        values = [row[field] for row in answer["data"]]
        assert values == sorted(values, reverse=True), f"{field} is in no order"

    return check


def _traces(**params: str | int) -> tuple[str, Params]:
    return _LIST, params


def _page(run: int, **params: str | int) -> tuple[str, Params]:
    return _traces(page=run + 1, **params)


def _where(kind: str, column: str, operator: str, value: Any, key: str = "", page: int = 1) -> tuple[str, Params]:
    condition = {"type": kind, "column": column, "operator": operator, "value": value}
    return _traces(filter=json.dumps([condition | ({"key": key} if key else {})]), page=page)


def _any_of(column: str, value: str) -> tuple[str, Params]:
    return _where("arrayOptions", column, "any of", [value])


def _sorted(order: str, run: int, *, days: float) -> tuple[str, Params]:
    return _traces(orderBy=order, fromTimestamp=_ago(days + run), toTimestamp=_ago(run))


def _observations(run: int) -> tuple[str, Params]:
    return "/api/public/v2/observations", {"limit": 50, "toStartTime": _ago(run * 1.3), "fields": "core,basic,usage"}


_BY_HOUR: Final = {
    "view": "observations",
    "dimensions": [{"field": "providedModelName"}],
    "metrics": [{"measure": "totalTokens", "aggregation": "sum"}, {"measure": "totalCost", "aggregation": "sum"}],
    "timeDimension": {"granularity": "hour"},
}
_P95_LATENCY: Final = {
    "view": "observations",
    "dimensions": [{"field": "name"}],
    "metrics": [{"measure": "latency", "aggregation": "p95"}],
}
_BY_USER: Final = {
    "view": "observations",
    "dimensions": [{"field": "userId"}],
    "metrics": [{"measure": "totalCost", "aggregation": "sum"}],
}


def _metric(question: Mapping[str, Any], days: float, run: int) -> tuple[str, Params]:
    shift = run / 24
    asked = dict(question) | {"filters": [], "fromTimestamp": _ago(days + shift), "toTimestamp": _ago(shift)}
    return _METRICS, {"query": json.dumps(asked)}


def _ago(days: float) -> str:
    return (datetime.now(UTC) - timedelta(days=days)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
