"""What is deleted shows in no read from then on, and its rows go from every table."""

from __future__ import annotations

import json
import time

import pytest

from appliance.model.media import Content
from appliance.model.patches import Patch
from appliance.storage.clickhouse import deletions
from appliance.storage.clickhouse.traces.aggregate import aggregate_round
from appliance.storage.postgres.media import MediaRecords
from appliance.storage.postgres.tenants import Projects
from appliance.storage.redis.deletions import PendingDeletions
from appliance.storage.redis.patches import Patches
from appliance.storage.setup import prepare
from appliance.worker.jobs.housekeeping import Housekeeping
from tests.integration.jobs.conftest import NOW, TABLES, Appliance

NOTHING = dict.fromkeys(TABLES, 0)


async def seen(appliance: Appliance, trace_id: str) -> set[str]:
    """The reads that show anything of a trace."""
    found = set()
    for path in (
        f"/api/public/traces/{trace_id}",
        f"/api/public/observations/{trace_id}-0",
        f"/api/public/scores/{trace_id}-score",
        f"/api/public/v2/scores/{trace_id}-score",
    ):
        if (await appliance.http.get(path)).status_code != 404:
            found.add(path)
    for path in ("/api/public/traces", "/api/public/observations", "/api/public/scores", "/api/public/v2/scores"):
        if any(id.startswith(trace_id) for id in await appliance.ids(path, limit=100)):
            found.add(path)
    fields = {"fields": "core", "limit": 100}
    for path in ("/api/public/v2/observations", "/api/public/v3/scores"):
        if any(id.startswith(trace_id) for id in await appliance.ids(path, **fields)):
            found.add(path)
    if (await appliance.http.get(f"/api/local/traces/{trace_id}/tree")).json()["data"]:
        found.add("tree")
    query = {
        "view": "traces",
        "metrics": [{"measure": "count", "aggregation": "count"}],
        "dimensions": [{"field": "name"}],
        "fromTimestamp": "2025-11-01T00:00:00Z",
        "toTimestamp": "2025-12-01T00:00:00Z",
    }
    answer = await appliance.http.get("/api/public/metrics", params={"query": json.dumps(query)})
    if trace_id in answer.text:
        found.add("metrics")
    return found


@pytest.mark.parametrize("is_aggregated", [False, True])
async def test_a_trace(appliance: Appliance, is_aggregated: bool) -> None:
    await appliance.write("gone")
    await appliance.write("stays")
    if is_aggregated:
        await aggregate_round(appliance.stores.clickhouse, quiet_s=0)
    assert len(await seen(appliance, "gone")) == 12
    answer = await appliance.http.delete("/api/public/traces/gone")
    assert (answer.status_code, answer.json()) == (200, {"message": "Trace deleted successfully"})
    assert await seen(appliance, "gone") == set()
    assert (await appliance.stored("gone"))["observations"] == 2
    assert "Deleted 1 trace." in await appliance.run_jobs()
    assert await appliance.stored("gone") == NOTHING
    assert await seen(appliance, "gone") == set()
    assert len(await seen(appliance, "stays")) == 12
    assert await deletions.pending(appliance.stores.clickhouse) == []
    assert not await PendingDeletions(appliance.stores.redis).any()


async def test_many_traces_and_one_that_never_was(appliance: Appliance) -> None:
    for number in range(5):
        await appliance.write(f"t{number}")
    ids = [f"t{number}" for number in range(4)] + ["never"]
    answer = await appliance.delete("/api/public/traces", json={"traceIds": ids})
    assert answer == {"message": "Traces deleted successfully"}
    assert await appliance.ids("/api/public/traces") == {"t4"}
    await appliance.run_jobs()
    assert await appliance.ids("/api/public/traces") == {"t4"}


@pytest.mark.parametrize("ids", [[], ["x"] * 1001, "x", [1]])
async def test_ids_that_cannot_be(appliance: Appliance, ids: object) -> None:
    answer = await appliance.http.request("DELETE", "/api/public/traces", json={"traceIds": ids})
    assert answer.status_code == 400


async def test_an_opentelemetry_id_in_capitals(appliance: Appliance) -> None:
    await appliance.write("0af7651916cd43dd8448eb211c80319c")
    await appliance.delete("/api/public/traces/0AF7651916CD43DD8448EB211C80319C")
    assert await appliance.ids("/api/public/traces") == set()


async def test_traces_by_a_filter(appliance: Appliance) -> None:
    for number in range(6):
        await appliance.write(f"t{number}", user_id="alice" if number < 4 else "bob")
    await aggregate_round(appliance.stores.clickhouse, quiet_s=0)
    await appliance.write("t6", user_id="alice")
    alice = json.dumps([{"type": "string", "column": "userId", "operator": "=", "value": "alice"}])
    assert await appliance.delete("/api/local/traces", params={"filter": alice}) == {"traces": 5}
    assert await appliance.ids("/api/public/traces") == {"t4", "t5"}
    assert await appliance.delete("/api/local/traces", params={"filter": alice}) == {"traces": 0}
    await appliance.run_jobs()
    assert await appliance.ids("/api/public/traces") == {"t4", "t5"}
    for number in (0, 1, 2, 3, 6):
        assert await appliance.stored(f"t{number}") == NOTHING


async def test_no_filter_deletes_nothing(appliance: Appliance) -> None:
    await appliance.write("t")
    for params in ({}, {"filter": "[]"}):
        answer = await appliance.http.request("DELETE", "/api/local/traces", params=params)
        assert answer.status_code == 400 and "filter" in answer.json()["message"]
    assert await appliance.ids("/api/public/traces") == {"t"}


async def test_a_score(appliance: Appliance) -> None:
    await appliance.write("t")
    answer = await appliance.http.delete("/api/public/scores/t-score")
    assert (answer.status_code, answer.json()) == (202, {"message": "Score deletion queued successfully"})
    assert await appliance.ids("/api/public/scores") == set()
    trace = (await appliance.http.get("/api/public/traces/t")).json()
    assert trace["scores"] == [] and len(trace["observations"]) == 2
    await appliance.run_jobs()
    assert (await appliance.stored("t")) | {"touched_traces": 0, "folded_traces": 0} == NOTHING | {
        "observations": 2,
        "observations_list": 2,
        "trace_parts": 1,
    }


async def test_a_session(appliance: Appliance) -> None:
    await appliance.write("a", session_id="s/1")
    await appliance.write("b", session_id="s/1")
    await appliance.write("c", session_id="other")
    assert await appliance.delete("/api/local/sessions/s%2F1") == {"traces": 2}
    assert await appliance.ids("/api/public/sessions") == {"other"}
    assert (await appliance.http.get("/api/public/sessions/s%2F1")).status_code == 404
    await appliance.run_jobs()
    assert await appliance.ids("/api/public/traces") == {"c"}


async def test_a_dataset_run(appliance: Appliance) -> None:
    await appliance.write("t")
    await appliance.http.post("/api/public/v2/datasets", json={"name": "d"})
    item = (await appliance.http.post("/api/public/dataset-items", json={"datasetName": "d"})).json()
    runs = {}
    for name in ("gone", "stays"):
        body = {"runName": name, "datasetItemId": item["id"], "observationId": "t-0"}
        run_item = (await appliance.http.post("/api/public/dataset-run-items", json=body)).json()
        assert run_item["traceId"] == "t"
        runs[name] = run_item["datasetRunId"]
        await appliance.write_score(f"score of {name}", at=NOW, dataset_run_id=runs[name])
    await appliance.delete("/api/public/datasets/d/runs/gone")
    again = {"runName": "gone", "datasetItemId": item["id"], "traceId": "t"}
    run_item = (await appliance.http.post("/api/public/dataset-run-items", json=again)).json()
    await appliance.write_score("score of again", at=NOW, dataset_run_id=run_item["datasetRunId"])
    left = {"t-score", "score of stays", "score of again"}
    assert await appliance.ids("/api/public/v2/scores") == left
    assert await appliance.run_jobs("purge_deleted") == ["Deleted 1 dataset run."]
    assert await appliance.ids("/api/public/v2/scores") == left
    rows: list[dict[str, str]] = await appliance.stores.clickhouse.rows("SELECT id FROM scores", {}, dict)
    assert {row["id"] for row in rows} == left
    assert await appliance.ids("/api/public/traces") == {"t"}
    await appliance.delete("/api/public/traces/t")
    run = (await appliance.http.get("/api/public/datasets/d/runs/stays")).json()
    assert [each["traceId"] for each in run["datasetRunItems"]] == ["t"]


async def test_a_project(appliance: Appliance) -> None:
    await appliance.write("t")
    await appliance.http.post("/api/public/v2/prompts", json={"name": "p", "prompt": "x", "type": "text"})
    refused = await appliance.http.delete("/api/local/project")
    assert refused.status_code == 400 and appliance.project_id in refused.json()["message"]
    answer = await appliance.http.delete("/api/local/project", params={"confirm": appliance.project_id})
    assert answer.status_code == 202
    assert (await appliance.http.get("/api/public/traces")).status_code == 401
    long_ago = time.time_ns() // 1000 - 600_000_000
    await appliance.stores.clickhouse.command("TRUNCATE TABLE deletions")
    await deletions.hide(appliance.stores.clickhouse, "project", appliance.project_id, [appliance.project_id], long_ago)
    await deletions.complete(appliance.stores.clickhouse, long_ago)
    await appliance.run_jobs()
    stored = await appliance.stored("t")
    assert stored | {"touched_traces": 0} == NOTHING  # it was touched after the moment that this test made up
    postgres, mine = appliance.context.postgres, {"p": appliance.project_id}
    assert await postgres.rows("SELECT FROM prompts WHERE project_id = %(p)s", mine) == []
    assert await postgres.rows("SELECT FROM projects WHERE id = %(p)s", mine) == []


async def test_a_project_is_purged_when_no_process_remembers_its_keys(appliance: Appliance) -> None:
    await appliance.write("t")
    await appliance.http.delete("/api/local/project", params={"confirm": appliance.project_id})
    job = await appliance.jobs.claim(["purge_deleted"], 30)
    assert job is None  # others may be deleted together with it
    await appliance.context.postgres.execute("UPDATE jobs SET run_at = clock_timestamp()")
    assert await appliance.run_one("purge_deleted") == "Nothing to delete."
    [waiting] = await appliance.jobs.list(["waiting"])
    assert waiting.kind == "purge_deleted" and waiting.run_at > waiting.created_at
    assert (await appliance.stored("t"))["observations"] == 2


async def test_what_arrives_later_is_there_again(appliance: Appliance) -> None:
    await appliance.write("t", written=NOW)
    await appliance.delete("/api/public/traces/t")
    future = time.time_ns() // 1000 + 3_600_000_000
    await appliance.write("t", written=future)
    await appliance.run_jobs()
    assert await appliance.ids("/api/public/traces") == {"t"}
    assert (await appliance.stored("t"))["observations"] == 2
    await aggregate_round(appliance.stores.clickhouse, quiet_s=0)
    assert await appliance.ids("/api/public/traces") == {"t"}


async def test_updates_of_a_deleted_object_do_not_bring_it_back(appliance: Appliance) -> None:
    await appliance.write("t")
    await appliance.stores.clickhouse.command(
        "ALTER TABLE observations UPDATE source = 'api' WHERE trace_id = 't'", settings={"mutations_sync": 1}
    )
    now = time.time_ns() // 1000
    await appliance.write_legacy("late", written=now)
    patches = Patches(appliance.stores.redis)
    patch = Patch(appliance.project_id, "observation", "late-0", b"k", b"{}")
    await patches.add([patch])
    await appliance.delete("/api/public/traces/late")
    await appliance.run_jobs()
    [known] = await patches.add([Patch(appliance.project_id, "observation", "late-0", b"other", b"{}")])
    assert known.is_first


async def test_files_go_when_nothing_else_uses_them(appliance: Appliance) -> None:
    for trace_id in ("gone", "stays"):
        await appliance.write(trace_id)
    own, shared = b"only of one", b"of both"
    for data, traces in ((own, ("gone",)), (shared, ("gone", "stays"))):
        for trace_id in traces:
            await appliance.upload(data, trace_id)
    await appliance.delete("/api/public/traces/gone")
    await appliance.run_jobs("purge_deleted")
    await appliance.context.postgres.execute("UPDATE media SET updated_at = clock_timestamp() - interval '1 hour'")
    assert "Deleted 1 of 2 files; the others are used." in await appliance.run_jobs()
    assert [await appliance.has_file(data) for data in (own, shared)] == [False, True]
    assert Content.of("text/plain", own).id != Content.of("text/plain", shared).id


async def test_a_deletion_that_lost_its_job_is_carried_out(appliance: Appliance) -> None:
    await appliance.write("t")
    await appliance.delete("/api/public/traces/t")
    await appliance.context.postgres.execute("DELETE FROM jobs")
    await appliance.stores.redis.flushdb()
    assert await appliance.ids("/api/public/traces") == {"t"}
    await Housekeeping(appliance.stores).run()
    assert await appliance.ids("/api/public/traces") == set()
    await appliance.run_jobs()
    assert await appliance.stored("t") == NOTHING


async def test_two_jobs_at_once_and_one_again_change_nothing_more(appliance: Appliance) -> None:
    await appliance.write("gone")
    await appliance.write("stays")
    await appliance.delete("/api/public/traces/gone")
    await appliance.run_jobs()
    await appliance.context.postgres.execute("UPDATE jobs SET state = 'waiting' WHERE kind = 'purge_deleted'")
    assert "Nothing to delete." in await appliance.run_jobs()
    assert len(await seen(appliance, "stays")) == 12


async def test_one_that_is_still_being_listed_is_not_purged_by_another(appliance: Appliance) -> None:
    """A large deletion may take its time to be listed, while the job of an earlier one runs."""
    for trace_id in ("first", "second", "third"):
        await appliance.write(trace_id)
    async with appliance.context.deleter.deletion() as moment:
        await deletions.hide(appliance.stores.clickhouse, "trace", appliance.project_id, ["second"], moment)
        await appliance.delete("/api/public/traces/first")
        await appliance.run_jobs("purge_deleted")
        assert await appliance.stored("first") == NOTHING
        assert (await appliance.stored("second"))["trace_parts"] == 1
        await deletions.hide(appliance.stores.clickhouse, "trace", appliance.project_id, ["third"], moment)
        assert await appliance.ids("/api/public/traces") == set()
    await appliance.run_jobs()
    for trace_id in ("second", "third"):
        assert await appliance.stored(trace_id) == NOTHING
    assert not await PendingDeletions(appliance.stores.redis).any()


async def test_a_filter_that_is_refused_or_finds_nothing_leaves_nothing_behind(appliance: Appliance) -> None:
    pending = PendingDeletions(appliance.stores.redis)
    wrong = json.dumps([{"type": "string", "column": "nothing", "operator": "=", "value": "x"}])
    answer = await appliance.http.request("DELETE", "/api/local/traces", params={"filter": wrong})
    assert answer.status_code == 400 and not await pending.any()
    nobody = json.dumps([{"type": "string", "column": "userId", "operator": "=", "value": "nobody"}])
    assert await appliance.delete("/api/local/traces", params={"filter": nobody}) == {"traces": 0}
    await appliance.run_jobs()
    assert not await pending.any() and await deletions.pending(appliance.stores.clickhouse) == []


async def test_a_listing_that_was_cut_short_is_carried_out_later(appliance: Appliance) -> None:
    await appliance.write("t")
    long_ago = time.time_ns() // 1000 - 3_600_000_000
    await deletions.hide(appliance.stores.clickhouse, "trace", appliance.project_id, ["t"], long_ago)
    await appliance.run_jobs()
    assert (await appliance.stored("t"))["trace_parts"] == 1
    await Housekeeping(appliance.stores).run()
    await appliance.run_jobs()
    assert await appliance.stored("t") == NOTHING


async def test_a_project_that_was_withdrawn_without_more_is_deleted(appliance: Appliance) -> None:
    await appliance.write("t")
    await Projects(appliance.context.postgres).mark_deleted(appliance.project_id)
    await Housekeeping(appliance.stores).run()
    [deletion] = await deletions.pending(appliance.stores.clickhouse)
    assert deletion.kinds == {"project": 1} and deletion.is_complete


async def test_a_project_that_was_made_anew_keeps_what_is_new(appliance: Appliance) -> None:
    long_ago = time.time_ns() // 1000 - 600_000_000
    await appliance.write("old", written=long_ago - 1)
    await Projects(appliance.context.postgres).mark_deleted(appliance.project_id)
    await deletions.hide(appliance.stores.clickhouse, "project", appliance.project_id, [appliance.project_id], long_ago)
    await deletions.complete(appliance.stores.clickhouse, long_ago)
    await prepare(appliance.context.settings, lambda step: None)
    await appliance.write("new", written=time.time_ns() // 1000)
    await Housekeeping(appliance.stores).run()
    await appliance.run_jobs()
    appliance.context.keys.forget()
    assert await appliance.ids("/api/public/traces") == {"new"}
    assert (await appliance.stored("old"))["observations"] == 0
    assert (await appliance.http.get("/api/public/projects")).json()["data"][0]["id"] == appliance.project_id


async def test_contents_that_were_deleted_before_a_crash_are_stored_again(appliance: Appliance) -> None:
    data = b"again"
    await appliance.write("gone")
    await appliance.upload(data, "gone")
    await appliance.delete("/api/public/traces/gone")
    await appliance.run_jobs("purge_deleted")
    await appliance.context.postgres.execute("UPDATE media SET updated_at = clock_timestamp() - interval '1 hour'")
    records = MediaRecords(appliance.context.postgres)
    media = [(appliance.project_id, Content.of("text/plain", data).id)]

    async def crash(path: str) -> None:
        await appliance.context.blobs.delete(path)
        raise RuntimeError("killed")

    with pytest.raises(RuntimeError):
        await records.delete_unused(media, 1, crash)
    await appliance.upload(data, "later")
    assert await appliance.has_file(data)
