"""The issues of a refused request are those that the reference server was recorded with (4.16.0)."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from appliance.web.api import ingestion
from appliance.web.api.ingestion import sort_out
from tests.unit.web.conftest import BASIC

RECORDED = [json.loads(line) for line in Path(__file__).with_name("recorded_issues.jsonl").read_text().splitlines()]
NOW = "2026-03-01T10:00:00.000Z"


@pytest.mark.parametrize("pair", RECORDED, ids=[pair["step"] for pair in RECORDED])
async def test_recorded_requests_have_their_recorded_issues(client: httpx.AsyncClient, pair: dict[str, Any]) -> None:
    content = json.dumps(pair["json"]) if "json" in pair else pair.get("text")
    answer = await client.request(
        pair["method"],
        pair["path"],
        params=[(name, value) for name, value in pair.get("query", ())],
        content=content,
        headers=pair.get("headers"),
        auth=BASIC,
    )

    assert (answer.status_code, answer.json()) == (400, pair["answer"])


@pytest.mark.parametrize(
    ("event", "issues"),
    [
        (
            {"type": "no-such-type", "body": {}},
            [
                {
                    "code": "invalid_union",
                    "errors": [],
                    "note": "No matching discriminator",
                    "discriminator": "type",
                    "path": ["type"],
                    "message": "Invalid input",
                }
            ],
        ),
        (
            {"type": "trace-create"},
            [
                {
                    "expected": "object",
                    "code": "invalid_type",
                    "path": ["body"],
                    "message": "Invalid input: expected object, received undefined",
                }
            ],
        ),
        (
            {"type": "trace-create", "body": {"id": "it-x5", "name": 5, "tags": "a"}},
            [
                {
                    "expected": "string",
                    "code": "invalid_type",
                    "path": ["body", "name"],
                    "message": "Invalid input: expected string, received number",
                },
                {
                    "expected": "array",
                    "code": "invalid_type",
                    "path": ["body", "tags"],
                    "message": "Invalid input: expected array, received string",
                },
            ],
        ),
        (
            {"type": "span-create", "body": {"id": "it-x6", "traceId": "it-1", "level": "LOUD", "startTime": NOW}},
            [
                {
                    "code": "invalid_value",
                    "values": ["DEBUG", "DEFAULT", "WARNING", "ERROR"],
                    "path": ["body", "level"],
                    "message": 'Invalid option: expected one of "DEBUG"|"DEFAULT"|"WARNING"|"ERROR"',
                }
            ],
        ),
    ],
)
async def test_a_refused_event_has_its_issues_as_a_text(
    client: httpx.AsyncClient, event: dict[str, Any], issues: list[dict[str, Any]]
) -> None:
    batch = [{"id": "bad", "timestamp": NOW, **event}]
    answer = await client.post("/api/public/ingestion", json={"batch": batch})

    (refused,) = answer.json()["errors"]
    assert refused == {
        "id": "bad",
        "status": 400,
        "message": "Invalid request data",
        "error": json.dumps(issues, indent=2),
    }


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "Invalid input: expected array, received undefined"),
        (b"{}", "Invalid input: expected array, received undefined"),
        (b"null", "Invalid input: expected object, received null"),
        (b'"x"', "Invalid input: expected object, received string"),
        (b"[]", "Invalid input: expected object, received array"),
    ],
)
async def test_a_batch_of_another_form_is_refused_in_words(
    client: httpx.AsyncClient, content: bytes, message: str
) -> None:
    headers = {"content-type": "application/json"}
    answer = await client.post("/api/public/ingestion", content=content, headers=headers)

    assert (answer.status_code, answer.json()) == (400, {"message": "Invalid request data", "errors": [message]})


def test_the_issues_of_a_whole_batch_are_bounded() -> None:
    body = {"tags": [1] * 100, "name": 1}
    events = [{"id": "bad", "timestamp": NOW, "type": "trace-create", "body": body}] * 300

    _, refused = sort_out(events, "project")

    sizes = [len(json.loads(each.error)) for each in refused]
    assert (sizes[0], sizes[-1]) == (101, 1)
    assert sum(len(each.error) for each in refused) < 5_000_000


def test_the_fields_of_a_type_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[object] = []
    fields = msgspec.structs.fields

    def watched(schema: type[msgspec.Struct]) -> tuple[msgspec.structs.FieldInfo, ...]:
        read.append(schema)
        return fields(schema)

    monkeypatch.setattr(msgspec.structs, "fields", watched)
    events = [{"id": "bad", "timestamp": NOW, "type": "trace-create", "body": {"name": 1}}] * 10

    sort_out(events, "project")

    assert len(read) <= 1  # none when an earlier test has read them


@pytest.mark.parametrize(("count", "leaves_the_loop"), [(10, False), (2_000, True)])
async def test_many_events_are_checked_in_a_thread(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, count: int, leaves_the_loop: bool
) -> None:
    threads: list[threading.Thread] = []

    def watched(*args: Any) -> Any:
        threads.append(threading.current_thread())
        return sort_out(*args)

    monkeypatch.setattr(ingestion, "sort_out", watched)
    answer = await client.post("/api/public/ingestion", json={"batch": [{}] * count})

    assert (answer.status_code, len(answer.json()["errors"])) == (207, count)
    assert [thread is not threading.main_thread() for thread in threads] == [leaves_the_loop]


@pytest.mark.parametrize("path", ["/api/public/scores", "/api/public/v2/datasets", "/api/public/v2/prompts"])
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"1e400", "Invalid request data"),
        (b'{"name": 1e400}', "Invalid request data"),
        (b'{"name": 1, "metadata": ' + b"[" * 5_000, "Invalid JSON"),
        (b'{"name": 1, "metadata": ', "Invalid JSON"),
    ],
)
async def test_what_cannot_be_decoded_is_refused(
    client: httpx.AsyncClient, path: str, content: bytes, message: str
) -> None:
    answer = await client.post(path, content=content)

    assert (answer.status_code, answer.json()["message"]) == (400, message)
