"""In which order a sink writes, and what it leaves undone when something fails."""

from __future__ import annotations

import base64

import pytest

from appliance.errors import LookupUnavailable, StoreUnavailable
from appliance.ingestion.process import process
from appliance.model.prompts import MAX_NAME_CHARS
from appliance.worker.contract import Written
from tests.fakes.payloads import event, export, span
from tests.fakes.sink import MemorySink
from tests.fakes.sink_contract import delivery, of_events
from tests.unit.worker.working import AWAY

PICTURE = f"data:image/png;base64,{base64.b64encode(bytes(900)).decode()}"


@pytest.fixture
async def into() -> MemorySink:
    return MemorySink()


async def write(into: MemorySink, *events: dict[str, object]) -> Written:
    return await into.sink.write(process([of_events(*events)], into.lookups.pricing))


async def test_files_are_kept_before_rows_refer_to_them(into: MemorySink) -> None:
    into.media_store.is_away = True
    batch = process(
        [delivery(export(span(1, attributes={"langfuse.observation.input": PICTURE})))], into.lookups.pricing
    )
    with pytest.raises(StoreUnavailable):
        await into.sink.write(batch)
    assert into.tables.writes == []


async def test_patches_stay_until_their_row_is_written(into: MemorySink) -> None:
    updates = [event("span-update", second, id="s", output=f"o{second}") for second in range(80)]
    into.tables.failing = [AWAY]
    with pytest.raises(StoreUnavailable):
        await write(into, *updates)
    assert len(into.patches.kept["p", "observation", "s"]) == 80
    await write(into, *updates)
    assert len(into.patches.kept["p", "observation", "s"]) < 60


async def test_what_names_a_prompt_is_not_written_without_postgres(into: MemorySink) -> None:
    into.lookups.go_away()
    with pytest.raises(LookupUnavailable):
        await write(into, event("generation-create", 1, id="g", traceId="t", promptName="greeting", promptVersion=1))
    assert into.tables.writes == []


async def test_what_names_a_config_is_not_written_without_postgres(into: MemorySink) -> None:
    into.lookups.go_away()
    with pytest.raises(LookupUnavailable):
        await write(into, event("score-create", 1, id="s", traceId="t", name="n", value=1, configId="c"))
    assert into.tables.writes == []


@pytest.mark.parametrize("name", ["", "x" * (MAX_NAME_CHARS + 1)])
async def test_prompts_that_cannot_be_are_not_asked_for(into: MemorySink, name: str) -> None:
    into.lookups.go_away()
    await write(into, event("generation-create", 1, id="g", traceId="t", promptName=name, promptVersion=1))
    assert into.tables.ids == ["g"]


async def test_configs_that_cannot_be_are_not_asked_for(into: MemorySink) -> None:
    into.lookups.go_away()
    written = await write(into, event("score-create", 1, id="s", traceId="t", name="n", value=1, configId="x" * 101))
    assert (into.tables.scored, written.refused) == ({}, {"1-0": 1})


async def test_the_same_names_in_two_projects_are_two(into: MemorySink) -> None:
    ours = of_events(event("span-create", 1, id="s", traceId="t"))
    theirs = type(ours)("2-0", type(ours.entry)(kind="events", project_id="q", body=ours.entry.body, accepted_at=5), 1)
    written = await into.sink.write(process([ours, theirs], into.lookups.pricing))
    assert written.traces == {"p": ["t"], "q": ["t"]}
    assert {(row.project_id, row.id) for row in into.tables.rows.values()} == {("p", "s"), ("q", "s")}
