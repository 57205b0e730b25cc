"""POST /ingestion, /scores and the old single-object endpoints."""

from __future__ import annotations

import gzip
from typing import Any

import httpx
import msgspec
import pytest

from tests.unit.web.conftest import PUBLIC_KEY

INGESTION, SCORES = "/api/public/ingestion", "/api/public/scores"
NOW = "2025-06-01T12:00:00.000Z"


def event(event_type: str, body: dict[str, Any], event_id: str = "e1", timestamp: str = NOW) -> dict[str, Any]:
    return {"id": event_id, "type": event_type, "timestamp": timestamp, "body": body}


def queued(stream: Any) -> list[dict[str, Any]]:
    return [found for entry in stream.entries for found in msgspec.json.decode(entry.body)]


async def test_each_event_has_its_own_outcome(client: httpx.AsyncClient, stream: Any) -> None:
    batch = [
        event("trace-create", {"id": "t", "name": None}),
        event("score-create", {"id": "s", "name": "x", "value": True, "traceId": "t"}, "e2"),
        {"type": "trace-create"},
    ]
    answer = await client.post(INGESTION, json={"batch": batch, "metadata": {"sdk_name": "python"}})
    assert answer.status_code == 207
    assert answer.json()["successes"] == [{"id": "e1", "status": 201}]
    wrong, shapeless = answer.json()["errors"]
    assert (wrong["id"], wrong["status"], wrong["message"]) == ("e2", 400, "Invalid request data")
    assert msgspec.json.decode(wrong["error"])[0]["path"] == ["body", "value"]
    assert shapeless["id"] == "unknown"
    assert queued(stream) == [event("trace-create", {"id": "t", "name": None})]
    assert stream.entries[0].sdk_name == "python"


@pytest.mark.parametrize("encoding", ["gzip", "GZIP", "Gzip", "x-gzip"])
async def test_the_name_of_the_compression_may_have_any_case(
    client: httpx.AsyncClient, stream: Any, encoding: str
) -> None:
    body = gzip.compress(b'{"value": 1, "name": "n", "traceId": "t"}')
    answer = await client.post("/api/public/scores", content=body, headers={"Content-Encoding": encoding})
    assert (answer.status_code, len(stream.entries)) == (200, 1)


async def test_creations_come_before_updates_and_each_by_time(client: httpx.AsyncClient) -> None:
    batch = [
        event("span-update", {"id": "s"}, "late", "2025-06-01T12:00:00Z"),
        event("span-create", {"id": "s"}, "second", "2025-06-01T12:00:00Z"),
        event("span-update", {"id": "s"}, "early", "2025-06-01T13:00:00+02:00"),
        event("span-create", {"id": "s"}, "first", "2025-06-01T11:00:00Z"),
    ]
    answer = await client.post(INGESTION, json={"batch": batch})
    assert [found["id"] for found in answer.json()["successes"]] == ["first", "second", "early", "late"]


async def test_sdk_logs_are_dropped_without_a_word(client: httpx.AsyncClient, stream: Any) -> None:
    answer = await client.post(INGESTION, json={"batch": [event("sdk-log", {"log": "x"})]})
    assert (answer.json(), stream.entries) == ({"successes": [], "errors": []}, [])


async def test_a_public_key_may_only_score(client: httpx.AsyncClient, stream: Any) -> None:
    client.auth = httpx.Auth()
    batch = [
        event("trace-create", {"id": "t"}, "no"),
        event("score-create", {"id": "s", "name": "x", "value": 1, "traceId": "t"}, "yes"),
    ]
    answer = await client.post(INGESTION, json={"batch": batch}, headers={"Authorization": f"Bearer {PUBLIC_KEY}"})
    assert answer.json()["successes"] == [{"id": "yes", "status": 201}]
    assert answer.json()["errors"] == [
        {"id": "no", "status": 401, "message": "Authentication error", "error": "Access Scope Denied"}
    ]
    assert len(queued(stream)) == 1


async def test_another_envelope_is_a_400(client: httpx.AsyncClient) -> None:
    answer = await client.post(INGESTION, json={"batch": {}})
    assert (answer.status_code, answer.json()["message"]) == (400, "Invalid request data")
    assert isinstance(answer.json()["errors"][0], str)
    answer = await client.post(INGESTION, content=b"{")
    assert (answer.status_code, answer.json()["message"]) == (400, "Invalid JSON")


async def test_one_score_answers_with_its_id(client: httpx.AsyncClient, stream: Any) -> None:
    answer = await client.post(SCORES, json={"id": "s1", "name": "x", "value": 0.5, "traceId": "t"})
    assert (answer.status_code, answer.json()) == (200, {"id": "s1"})
    answer = await client.post(SCORES, json={"id": "", "name": "x", "value": 0.5, "traceId": "t"})
    assert answer.json()["id"]
    assert [found["type"] for found in queued(stream)] == ["score-create", "score-create"]
    answer = await client.post(SCORES, json={"name": "x", "value": [], "traceId": "t"})
    assert (answer.status_code, answer.json()["error"][0]["path"]) == (400, ["value"])


async def test_many_scores_are_counted(client: httpx.AsyncClient, stream: Any) -> None:
    good = {"id": "s1", "name": "x", "value": 1.0, "sessionId": "u", "timestamp": NOW}
    answer = await client.post(SCORES, json=[good])
    assert (answer.status_code, answer.json()) == (202, {"message": "Accepted"})
    assert queued(stream)[0]["timestamp"] == NOW
    answer = await client.post(SCORES, json=[good, {"name": "x", "value": 1}, 3])
    body = answer.json()
    assert (answer.status_code, body["accepted"], body["rejected"], len(body["errors"])) == (207, 1, 2, 2)


async def test_the_old_endpoints_become_events(client: httpx.AsyncClient, stream: Any) -> None:
    assert (await client.post("/api/public/traces", json={"id": "t"})).json() == {"id": "t"}
    assert (await client.post("/api/public/events", json={"name": "e", "traceId": "t"})).json()["id"]
    assert (await client.patch("/api/public/spans", json={"spanId": "s", "name": "n"})).json() == {"id": "s"}
    assert (await client.patch("/api/public/generations", json={"generationId": "g"})).json() == {"id": "g"}
    assert (await client.patch("/api/public/spans", json={"name": "n"})).status_code == 400
    types = [found["type"] for found in queued(stream)]
    assert types == ["trace-create", "event-create", "span-update", "generation-update"]
