"""What a sink does, whatever it writes to; run on real stores and on fakes of them."""

from __future__ import annotations

import base64
from typing import Any, Protocol

import msgspec
import pytest

from appliance.ingestion.process import process
from appliance.model.media import Content
from appliance.model.observations import Observation
from appliance.model.pricing import Pricing
from appliance.model.queue import Delivery, Entry, EntryKind
from appliance.model.scores import Score
from appliance.worker.contract import BatchSink, Written
from tests.fakes.payloads import START_S, event, export, span

TRACE = f"{1:032x}"
AT = "2025-11-13T02:00:30Z"
AGENT: dict[str, Any] = {
    "openinference.span.kind": "AGENT",
    "llm.model_name": "claude",
    "llm.token_count.prompt": 12,
    "llm.cost.total": 0.25,
}
CALL = AGENT | {"openinference.span.kind": "LLM"}


class SinkUnderTest(Protocol):
    """A sink with nothing written, and looks at what it wrote for project `p`."""

    sink: BatchSink
    pricing: Pricing

    async def observations(self) -> list[Observation]:
        """Those that are there, by id, after older versions are gone."""

    async def scores(self) -> list[Score]: ...
    async def parts(self) -> list[tuple[str, str]]:
        """Trace and part id."""

    async def patches_of(self, kind: str, entity_id: str) -> int: ...
    async def forget_patches(self) -> None: ...
    async def add_prompt(self, name: str) -> str:
        """Version 1 of a prompt; returns its id."""

    async def add_config(self, most: float) -> str:
        """A config of numeric scores; returns its id."""

    async def media(self) -> dict[str, list[tuple[str, str]]]:
        """The observation and the field of each use, by media id."""


def delivery(body: bytes, kind: EntryKind = "otlp-json", id: str = "1-0") -> Delivery:
    return Delivery(id, Entry(kind=kind, project_id="p", body=body, accepted_at=START_S * 1_000_000), 1)


def of_events(*events: dict[str, Any], id: str = "1-0") -> Delivery:
    return delivery(msgspec.json.encode(events), "events", id)


def span_ids(*numbers: int) -> list[str]:
    return [f"{number:016x}" for number in numbers]


class SinkContract:
    """Subclasses provide the fixture `into`."""

    async def test_spans_become_rows_and_traces(self, into: SinkUnderTest) -> None:
        written = await write(into, delivery(export(span(1), span(2, 1), span(3, trace=2))))
        assert [row.id for row in await into.observations()] == span_ids(1, 2, 3)
        assert {trace for trace, _ in await into.parts()} == {TRACE, f"{2:032x}"}
        assert (sorted(written.traces["p"]), written.refused) == ([TRACE, f"{2:032x}"], {})

    async def test_writing_again_changes_nothing(self, into: SinkUnderTest) -> None:
        given = (delivery(export(span(1))), of_events(event("span-create", 1, id="s", traceId="t"), id="2-0"))
        await write(into, *given)
        first = await rows(into), await into.parts()
        await write(into, *given)
        assert (await rows(into), await into.parts()) == first

    async def test_updates_and_creations_in_any_order_come_to_one_row(self, into: SinkUnderTest) -> None:
        update = event("generation-update", 50, id="g", output="done", usage={"input": 1, "output": 2})
        create = event("generation-create", 20, id="g", traceId="t", name="llm", startTime=AT, input="q")
        await write(into, of_events(update))
        written = await write(into, of_events(create))
        (row,) = await into.observations()
        assert (row.name, row.input, row.output, row.trace_id, row.usage_details) == (
            "llm", "q", "done", "t", {"input": 1, "output": 2, "total": 3},
        )  # fmt: skip
        assert written.traces == {"p": ["t"]}

    @pytest.mark.parametrize("start", [AT, "2025-11-13T05:00:00Z"], ids=["near", "where nobody looks for the old one"])
    async def test_a_row_that_moves_leaves_none_behind(self, into: SinkUnderTest, start: str) -> None:
        await write(into, of_events(event("span-update", 200, id="s", output="o")))
        await write(into, of_events(event("span-create", 300, id="s", traceId="t", startTime=start)))
        (row,) = await into.observations()
        assert (row.trace_id, row.output) == ("t", "o")

    async def test_what_is_stored_counts_when_its_patches_are_forgotten(self, into: SinkUnderTest) -> None:
        await write(into, of_events(event("span-create", 1, id="s", traceId="t", input="q", metadata={"a": 1})))
        await into.forget_patches()
        written = await write(into, of_events(event("span-update", 9, id="s", output="o", metadata={"b": 2})))
        (row,) = await into.observations()
        assert (row.input, row.output, row.metadata) == ("q", "o", {"a": "1", "b": "2"})
        assert written.traces == {"p": ["t"]}

    async def test_many_patches_of_one_entity_are_not_all_kept(self, into: SinkUnderTest) -> None:
        for start in range(0, 80, 20):
            updates = [event("span-update", second, id="s", output=f"o{second}") for second in range(start, start + 20)]
            await write(into, of_events(*updates))
        assert await into.patches_of("observation", "s") < 60
        await write(into, of_events(event("span-update", 40, id="s", name="late")))
        (row,) = await into.observations()
        assert (row.output, row.name) == ("o79", "late")

    async def test_scores_are_updated_by_id(self, into: SinkUnderTest) -> None:
        for second, value in ((1, 0.5), (2, 0.25)):
            score = event("score-create", second, id="s", traceId="t", name="quality", value=value)
            assert (await write(into, of_events(score))).traces == {"p": ["t"]}
        assert [(row.id, row.value) for row in await into.scores()] == [("s", 0.25)]

    async def test_a_stored_score_counts_when_its_patches_are_forgotten(self, into: SinkUnderTest) -> None:
        await write(into, of_events(event("score-create", 1, id="s", traceId="t", name="q", value=1, comment="c")))
        await into.forget_patches()
        await write(into, of_events(event("score-create", 2, id="s", traceId="t", name="q", value=2)))
        assert [(row.value, row.comment) for row in await into.scores()] == [(2.0, "c")]

    async def test_scores_that_break_their_config_are_counted_by_entry(self, into: SinkUnderTest) -> None:
        config = await into.add_config(1.0)
        scores = [
            event("score-create", 1, id=f"s{value}", traceId="t", name="n", value=value, configId=config)
            for value in (1, 2, 3)
        ]
        written = await write(into, of_events(scores[0], id="1-0"), of_events(*scores[1:], id="2-0"))
        assert [(row.id, row.name) for row in await into.scores()] == [("s1", "quality")]
        assert written.refused == {"2-0": 2}

    async def test_observations_know_their_prompts(self, into: SinkUnderTest) -> None:
        prompt = await into.add_prompt("greeting")
        named = [
            event("generation-create", 1, id=name, traceId="t", promptName=name, promptVersion=1)
            for name in ("greeting", "unknown")
        ]
        await write(into, of_events(*named))
        assert {row.id: row.prompt_id for row in await into.observations()} == {"greeting": prompt, "unknown": ""}

    async def test_an_agent_counts_until_its_calls_come(self, into: SinkUnderTest) -> None:
        await write(into, delivery(export(span(1, attributes=AGENT), span(2, 1))))
        assert [row.total_cost for row in await into.observations()] == [0.25, None]
        await write(into, delivery(export(span(3, 2, CALL))))
        assert [row.total_cost for row in await into.observations()] == [None, None, 0.25]

    async def test_an_agent_does_not_count_after_its_calls(self, into: SinkUnderTest) -> None:
        await write(into, delivery(export(span(3, 2, CALL))))
        await write(into, delivery(export(span(1, attributes=AGENT), span(2, 1))))
        assert [row.total_cost for row in await into.observations()] == [None, None, 0.25]

    async def test_files_are_kept_with_where_they_are_used(self, into: SinkUnderTest) -> None:
        data = bytes(range(256)) * 4
        uri = f"data:image/png;base64,{base64.b64encode(data).decode()}"
        await write(into, delivery(export(span(1, attributes={"langfuse.observation.input": uri}))))
        (row,) = await into.observations()
        found = await into.media()
        assert found[Content.of("image/png", data).id].count((row.id, "input")) == 1
        assert uri not in row.input


async def write(into: SinkUnderTest, *deliveries: Delivery) -> Written:
    return await into.sink.write(process(deliveries, into.pricing))


async def rows(into: SinkUnderTest) -> list[tuple[str, str, str]]:
    return [(row.id, row.trace_id, row.name) for row in await into.observations()]
