"""How long reads take on data of `tests.benchmarks.seed`, one client, through the HTTP endpoints.

`python -m tests.benchmarks.reads --data-dir DIR` prints a Markdown table; every figure is made of many runs with
different parameters. The project must hold what the seed made, with a trace of 5,000 observations (`--large 5000`).
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import httpx

from tests.benchmarks.report import percentile
from tests.benchmarks.running import web_of
from tests.benchmarks.seed import LARGE_TRACE

Params = dict[str, str | int]
_LIST: Final = "/api/public/traces"
_METRICS: Final = "/api/public/metrics"
_TOTALS: Final = "core,metrics,observations,scores"
_MODELS: Final = ("gpt-4o", "gpt-4o-mini", "claude-sonnet-4-5", "gemini-2.5-pro", "llama-3.1-70b")
_NAMES: Final = ("support-chat", "rag-answer", "summarise-ticket", "sql-agent", "email-draft")
_TAGS: Final = ("prod", "staging", "canary", "rag", "support", "sales", "eu", "us", "beta", "batch")
_COMMON_WORDS: Final = ("assistant", "helpful", "system", "content", "role")


@dataclass(frozen=True, slots=True)
class Read:
    """One line of the table: the goal in milliseconds, and the request of the n-th run."""

    name: str
    goal_ms: int
    request: Callable[[int], tuple[str, Params]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-dir", required=True, help="of a running appliance that was seeded")
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--only", default="", help="part of the names of the reads to run")
    parser.add_argument("--seed", default="1", help="the seed of the data")
    arguments = parser.parse_args()
    address, keys = web_of(arguments.data_dir)
    with httpx.Client(base_url=address, auth=keys, timeout=60) as http:
        trace_ids = _some_traces(http, arguments.runs)
        print("| Read | p50 | p95 | Goal |\n| --- | --- | --- | --- |")
        for read in _reads(trace_ids, arguments.seed):
            if arguments.only in read.name:
                print(f"| {read.name} | {_measured(http, read, arguments.runs)} | {read.goal_ms} ms |", flush=True)


def _measured(http: httpx.Client, read: Read, runs: int) -> str:
    """Both figures of a read, or why there are none."""
    try:
        times = [_timed(http, read, run) for run in range(runs)]
    except httpx.HTTPStatusError as error:
        return f"refused ({error.response.status_code}): {error.response.json()['message']} | -"
    return f"{percentile(times, 0.5):.0f} ms | {percentile(times, 0.95):.0f} ms"


def _timed(http: httpx.Client, read: Read, run: int) -> float:
    path, params = read.request(run)
    start = time.perf_counter()
    answer = http.get(path, params=params)
    milliseconds = (time.perf_counter() - start) * 1000
    answer.raise_for_status()
    return milliseconds


def _some_traces(http: httpx.Client, count: int) -> list[str]:
    """Ids from all over the time range."""
    found = []
    for day in range(count):
        params: Params = {"limit": 1, "fields": "core", "toTimestamp": _ago(1 + 28 * day / count)}
        found += [row["id"] for row in http.get(_LIST, params=params).raise_for_status().json()["data"]]
    return found


def _reads(trace_ids: list[str], seed: str) -> Iterator[Read]:
    yield Read("traces, page of 50 with cost, latency and counts", 100, lambda run: _page(run, fields=_TOTALS))
    yield Read("traces, page of 50 with input and output", 200, _page)
    yield Read("traces of a user", 250, lambda run: _traces(userId=f"user-{run * 37:04d}"))
    yield Read("traces of a session", 250, lambda run: _traces(sessionId=f"session-{seed}-{run * 900:07d}"))
    yield Read("traces with a tag", 250, lambda run: _traces(tags=_TAGS[run % 10]))
    yield Read("traces with a model", 250, lambda run: _any_of("model", _MODELS[run % 5]))
    yield Read("traces with level ERROR", 250, lambda run: _where("string", "level", "=", "ERROR", page=run + 1))
    yield Read(
        "traces with a metadata key", 250, lambda run: _where("stringObject", "metadata", "=", f"t{run}", "tenant")
    )
    yield Read("traces with a name", 700, lambda run: _traces(name=_NAMES[run % 5], page=run + 1))
    yield Read("traces of an environment", 700, lambda run: _traces(environment=("staging", "production")[run % 2]))
    yield Read("traces that cost more than", 700, lambda run: _where("number", "totalCost", ">", 0.005 + run / 2000))
    yield Read("traces that took longer than", 700, lambda run: _where("number", "latency", ">", 4 + run / 3))
    yield Read("traces, page 1,000", 400, lambda run: _page(999 + run, fields=_TOTALS))
    yield Read("traces by cost, 7 days", 800, lambda run: _sorted("totalCost.desc", run, days=7))
    yield Read("traces by latency, 7 days", 800, lambda run: _sorted("latency.desc", run, days=7))
    yield Read("traces by name, all", 700, lambda run: _traces(orderBy="name.asc", page=run + 1))
    yield Read("trace by id, 8 observations", 40, lambda run: (f"{_LIST}/{trace_ids[run % len(trace_ids)]}", {}))
    yield Read("trace by id, 5,000 observations", 600, lambda run: (f"{_LIST}/{LARGE_TRACE}", {}))
    yield Read("observations v2, page of 50", 100, _observations)
    yield Read(
        "rare word in all text",
        300,
        lambda run: _where("string", "search", "contains", f"zqneedle{seed}", page=run + 1),
    )
    yield Read(
        "common word in all text", 300, lambda run: _where("string", "search", "contains", _COMMON_WORDS[run % 5])
    )
    yield Read("tokens and cost by hour and model, 7 days", 300, lambda run: _metric(_BY_HOUR, 7, run))
    yield Read("p95 latency by name, 30 days", 700, lambda run: _metric(_P95_LATENCY, 30, run))
    yield Read("cost by user, 400 days", 700, lambda run: _metric(_BY_USER, 400, run))


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


if __name__ == "__main__":
    main()
