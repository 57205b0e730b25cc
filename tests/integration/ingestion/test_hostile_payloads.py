"""Hostile payloads that web accepts, through the real worker into ClickHouse: all are written, and the next one too."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance.errors import PayloadTooLarge, Undecodable
from appliance.ingestion.accept import count_json_spans, count_protobuf_spans
from appliance.web.api.ingestion import sort_out
from tests.fuzz import hostile
from tests.integration.ingestion.conftest import Pipeline
from tests.integration.ingestion.test_worker import export

EXAMPLES = 60


def examples_of(strategy: st.SearchStrategy[Any]) -> list[Any]:
    """The same examples each time."""
    found: list[Any] = []

    @settings(
        max_examples=EXAMPLES, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck)
    )
    @given(strategy)
    def collect(example: Any) -> None:
        found.append(example)

    collect()
    return found


async def test_every_accepted_payload_is_written(pipeline: Pipeline) -> None:
    spans = 0
    for request in examples_of(hostile.exports()):
        body = request.SerializeToString()
        spans += (counted := count_protobuf_spans(body)).spans
        if counted.spans:
            await pipeline.put("otlp-protobuf", body)
    for body in examples_of(hostile.json_exports):
        try:
            counted = count_json_spans(body)
        except (Undecodable, PayloadTooLarge):
            continue
        spans += counted.spans
        if counted.spans:
            await pipeline.put("otlp-json", body)
    for batch in examples_of(st.lists(hostile.events | hostile.json_values, max_size=4)):
        accepted, _ = sort_out(batch, "project")
        if accepted:
            await pipeline.put(
                "events", msgspec.json.encode([event for event in accepted if event["type"] != "sdk-log"])
            )
    await pipeline.put("otlp-protobuf", export(77, attributes={"user.id": "after-all"}))

    await pipeline.work_off()

    status = await pipeline.stream.backlog()
    assert (status.backlog, status.dead_letters) == (0, 0)
    assert spans > EXAMPLES
    assert await pipeline.rows("SELECT count() AS n FROM observations WHERE user_id = 'after-all'") == [{"n": 1}]
