# ruff: noqa: E501
"""The made-up rows, steps and figures that the sample gateway serves."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from math import sin
from typing import Any, Final

from appliance.api_types.jobs import ApiJob
from appliance.api_types.observations import ApiObservation
from appliance.model.services import ApplianceStatus, DiskStatus, QueueStatus, ServiceStatus
from tui.model.records import Observation, TraceRow
from tui.model.timerange import TimeRange

QUESTIONS: Final = (
    ("How long do I have to return a pair of shoes?", "You can return shoes within 30 days, unworn and in their box."),
    ("Where is my order 4711?", "Order 4711 left our warehouse this morning and arrives tomorrow before noon."),
    ("Can I change the delivery address?", "Yes, until the parcel leaves the warehouse: open the order and choose Change address."),
    ("The discount code SUMMER does not work", "SUMMER ended on 31 August. WELCOME10 takes 10 % off a first order."),
    ("Do you ship to Norway?", "We do; customs are paid at delivery and parcels take four to six days."),
    ("My invoice shows the wrong company name", "I have corrected the name and sent the invoice again to your address."),
)  # fmt: skip
NAMES: Final = ("rag-answer", "support-agent", "summarize-thread", "extract-invoice", "rerank-batch")
USERS: Final = ("alice", "bob", "chandra", "dmitri", "eva", "farid")
MODELS: Final = (
    ("gpt-4o", 0.0000075),
    ("gpt-4o-mini", 0.0000004),
    ("claude-sonnet-4", 0.000009),
    ("text-embedding-3-small", 0.00000002),
)
SPEEDS: Final = {
    "rag-answer": 1.6,
    "support-agent": 4.2,
    "summarize-thread": 2.4,
    "extract-invoice": 3.1,
    "rerank-batch": 0.7,
}


def agent_run(row: TraceRow) -> list[Observation]:
    """What an agent did to answer: retrieval, a tool that failed, and the answer."""
    whole = row.latency or 2.0
    failed = not row.output

    def step(number: int, parent: int | None, kind: str, name: str, at: float, end: float, **more: Any) -> Observation:
        return Observation(
            id=f"{row.id[:8]}-{number}", trace_id=row.id, parent_observation_id=f"{row.id[:8]}-{parent}" if parent is not None else None,
            type=kind, name=name, start_time=row.timestamp + timedelta(seconds=at * whole),
            end_time=row.timestamp + timedelta(seconds=end * whole), **more,
        )  # fmt: skip

    def model(name: str, given: int, answered: int, price: float) -> dict[str, Any]:
        usage = {"input": given, "output": answered, "total": given + answered}
        return {"provided_model_name": name, "usage_details": usage, "total_cost": (given + 4 * answered) * price}

    first = row.timestamp + timedelta(seconds=0.68 * whole)
    return [
        step(0, None, "AGENT", row.name, 0.0, 1.0),
        step(1, 0, "GENERATION", "plan", 0.01, 0.16, **model("gpt-4o-mini", 412, 38, 0.00000015)),
        step(2, 0, "RETRIEVER", "search-knowledge-base", 0.17, 0.36),
        step(3, 2, "EMBEDDING", "embed-query", 0.17, 0.21, **model("text-embedding-3-small", 14, 0, 0.00000002)),
        step(4, 2, "SPAN", "vector-search", 0.21, 0.33),
        step(5, 2, "CHAIN", "rerank", 0.33, 0.36),
        step(6, 0, "TOOL", "lookup_order", 0.38, 0.55, level="ERROR" if failed else "DEFAULT", status_message="order service: 504 after 3 tries" if failed else None),
        step(7, 6, "SPAN", "GET /orders/4711", 0.38, 0.54, level="WARNING", status_message="slow answer"),
        step(8, 0, "GENERATION", "answer", 0.57, 0.95, completion_start_time=first, prompt_name="support/answer", prompt_version=7, **model("gpt-4o", 2310, 164, 0.0000025)),
        step(9, 0, "GUARDRAIL", "no-personal-data", 0.95, 0.98),
        step(10, 0, "EVALUATOR", "grounded", 0.98, 1.0),
    ]  # fmt: skip


def many_observations(count: int, start: datetime) -> list[Observation]:
    """A trace of any size: chains of ten steps under a few hundred agents."""
    observations: list[Observation] = []
    for index in range(count):
        parent = None if index == 0 else 0 if index % 10 == 1 else index - 1
        at = start + timedelta(milliseconds=index)
        observations.append(
            Observation(
                id=f"o{index}",
                trace_id="big",
                parent_observation_id=None if parent is None else f"o{parent}",
                type="GENERATION" if index % 10 == 0 else "SPAN",
                name=f"step-{index}",
                start_time=at,
                end_time=at + timedelta(milliseconds=40),
                level="ERROR" if index % 997 == 996 else "DEFAULT",
            )
        )
    return observations


def texts_of(observation_id: str) -> ApiObservation:
    """The texts of one step of `agent_run`."""
    number = observation_id.rpartition("-")[2]
    question, answer = QUESTIONS[1]
    if number in ("1", "8"):
        return ApiObservation(
            id=observation_id,
            input=[
                {"role": "system", "content": "You are the assistant of a **shoe shop**. Answer briefly, with what the tools say."},
                {"role": "user", "content": question},
                {"role": "assistant", "content": None, "tool_calls": [{"id": "c1", "function": {"name": "lookup_order", "arguments": '{"order": 4711, "fields": ["state", "eta"]}'}}]},
                {"role": "tool", "name": "lookup_order", "content": '{"state": "shipped", "eta": "tomorrow, before 12:00"}'},
            ],
            output={"role": "assistant", "content": f"{answer}\n\n- carrier: `DHL`\n- parcels: 1"},
            metadata={"attempt": 1, "cached": False},
            model_parameters={"temperature": 0.2, "max_tokens": 400},
            usage_details={"input": 2310, "input_cached_tokens": 1024, "output": 164, "total": 2474},
            cost_details={"input": 0.005775, "output": 0.00164, "total": 0.007415},
        )  # fmt: skip
    return ApiObservation(
        id=observation_id,
        input={"query": question, "top_k": 5, "filters": {"shop": "eu", "language": "en"}},
        output={"documents": [{"id": f"doc-{i}", "score": round(0.93 - i * 0.07, 2), "title": q} for i, (q, _) in enumerate(QUESTIONS)]},
        metadata={"index": "kb-2026-11", "took_ms": 41},
    )  # fmt: skip


def sample_status() -> ApplianceStatus:
    """An appliance that is well."""
    facts = (
        ("postgres", 4101, "127.0.0.1:5433", 0.1, 41), ("redis", 4102, "run/redis.sock", 0.2, 12),
        ("clickhouse", 4103, "127.0.0.1:8124", 0.9, 312), ("web", 4110, "127.0.0.1:3000", 0.3, 74), ("worker", 4111, None, 0.2, 68),
    )  # fmt: skip
    services = [
        ServiceStatus(name=name, state="running", pid=pid, pids=[pid], address=address, healthy=True, uptime_s=8040.0, cpu_percent=cpu, rss_bytes=mb * 1_000_000)
        for name, pid, address, cpu, mb in facts
    ]  # fmt: skip
    return ApplianceStatus(
        healthy=True, url="http://127.0.0.1:3000", runtime="embedded", data_dir="~/.local/share/langfuse-local", services=services,
        queue=QueueStatus(backlog=2, oldest_s=0.1, dead_letters=0), disk=DiskStatus(used_bytes=412_000_000, free_bytes=187_000_000_000),
    )  # fmt: skip


def sample_jobs() -> list[ApiJob]:
    """A deletion that is being carried out, and one that has failed."""
    return [
        ApiJob(id="j2", kind="purge_deleted", state="running", message="Deleting traces: observations: 3 parts left", progress=400, total=1200),
        ApiJob(id="j1", kind="delete_unused_media", state="failed", attempts=8, error="The media bucket b cannot be used: no such host."),
    ]  # fmt: skip


def sample_metrics(rows: Sequence[TraceRow], span: TimeRange, now: datetime) -> dict[str, list[dict[str, Any]]]:
    """The answers of the metrics API to `overview_queries`, counted from the rows."""
    start = now - span.span
    dice = random.Random(7)
    buckets = int(span.span / span.bucket)
    shape = [max(0.15, 1 + 0.8 * _wave(i / buckets) + dice.uniform(-0.25, 0.25)) for i in range(buckets + 1)]
    times = [(start + i * span.bucket).isoformat() for i in range(buckets + 1)]
    kept = [row for row in rows if row.timestamp >= start]
    weight = {"DEFAULT": 42.0, "WARNING": 2.1, "ERROR": 1.4}
    levels = [
        {
            "time_dimension": t,
            "level": level,
            "count_count": round(s * w),
            "sum_totalTokens": round(s * w * 210),
            "sum_totalCost": s * w * 0.0011,
        }
        for t, s in zip(times, shape, strict=True)
        for level, w in weight.items()
    ]
    spend = {"gpt-4o": 0.031, "claude-sonnet-4": 0.018, "gpt-4o-mini": 0.004, "text-embedding-3-small": 0.0006}
    models = [
        {"time_dimension": t, "providedModelName": name, "sum_totalCost": s * usd * dice.uniform(0.7, 1.3)}
        for t, s in zip(times, shape, strict=True)
        for name, usd in spend.items()
    ]
    counts = {level: sum(round(s * w) for s in shape) for level, w in weight.items()}
    totals = [
        {"level": level, "count_count": str(value), "sum_totalTokens": value * 210, "sum_totalCost": value * 0.0011}
        for level, value in counts.items()
    ]
    names = [
        {
            "name": name,
            "count_count": sum(1 for row in kept if row.name == name),
            **{f"p{p}_latency": 1000 * seconds * f for p, f in ((50, 1), (90, 1.7), (95, 2.1), (99, 3.4))},
        }
        for name, seconds in SPEEDS.items()
    ]
    return {
        "traces": [{"count_count": len(kept), "p95_latency": 5210}],
        "traces_before": [{"count_count": len(kept) * 0.88, "p95_latency": 5830}],
        "traces_course": [{"time_dimension": t, "count_count": round(s * 12), "p95_latency": 5210 * (1.5 - s / 3)} for t, s in zip(times, shape, strict=True)],
        "levels": totals,
        "levels_before": [{**row, "count_count": counts[str(row["level"])] * 0.9, "sum_totalTokens": counts[str(row["level"])] * 178, "sum_totalCost": counts[str(row["level"])] * 0.00102} for row in totals],
        "levels_course": levels,
        "models": models,
        "names": names,
    }  # fmt: skip


def _wave(place: float) -> float:
    return sin(place * 9.5) * 0.7
