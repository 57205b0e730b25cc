"""What web mends in a body before it is read."""

from __future__ import annotations

import threading
from typing import Any

import httpx
import msgspec
import pytest

from appliance.errors import InvalidRequest
from appliance.web import bodies
from appliance.web.bodies import form_as_json, without_lone_surrogates


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        (rb'"\ud83d\ude00"', "\U0001f600"),
        (rb'"\uD83D"', "\ufffd"),
        (rb'"\ude00\ud83d"', "\ufffd\ufffd"),
        (rb'"\ud83d\ud83d\ude00"', "\ufffd\U0001f600"),
        (rb'"\\ud83d"', r"\ud83d"),
        (rb'"\\\ud83d\n"', "\\\ufffd\n"),
        (rb'"\u00e9"', "\u00e9"),
    ],
)
def test_only_lone_surrogates_are_replaced(text: bytes, meant: str) -> None:
    assert msgspec.json.decode(without_lone_surrogates(text)) == meant


@pytest.mark.parametrize("start", [b"", b" ", b"\n  "])
async def test_json_that_is_sent_as_a_form_stays_json(client: httpx.AsyncClient, start: bytes) -> None:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    content = start + b'{"id": "s", "traceId": "t", "name": "n", "value": 1}'
    answer = await client.post("/api/public/scores", content=content, headers=headers)

    assert (answer.status_code, answer.json()) == (200, {"id": "s"})


def test_a_form_is_an_object_of_texts() -> None:
    assert form_as_json(b"a=b&c=%20d") == b'{"a":"b","c":" d"}'


def test_a_form_with_very_many_fields_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="more than 1000 fields"):
        form_as_json(b"&".join(b"%d=1" % number for number in range(1_001)))


@pytest.mark.parametrize("path", ["/api/public/v2/datasets", "/api/public/v2/prompts"])
@pytest.mark.parametrize(("large_bytes", "leaves_the_loop"), [(10, True), (1_000_000, False)])
async def test_the_issues_of_a_large_body_are_collected_in_a_thread(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, path: str, large_bytes: int, leaves_the_loop: bool
) -> None:
    threads: list[threading.Thread] = []
    refusal = bodies.refusal

    def watched(*args: Any) -> Any:
        threads.append(threading.current_thread())
        return refusal(*args)

    monkeypatch.setattr(bodies, "refusal", watched)
    monkeypatch.setattr(bodies, "_LARGE_BYTES", large_bytes)
    answer = await client.post(path, json={"name": ["not a text"]})

    assert answer.status_code == 400
    assert [thread is not threading.main_thread() for thread in threads] == [leaves_the_loop]
