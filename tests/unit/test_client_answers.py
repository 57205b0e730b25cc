"""Answers of servers of other versions: fields may be missing, unknown, or numbers in quotes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from appliance.client import LangfuseClient
from appliance.errors import RemoteError
from tests.answered import Answered, answer_of

CALLS: dict[str, Callable[[LangfuseClient], Awaitable[Any]]] = {
    "traces": lambda client: client.traces(),
    "sessions": lambda client: client.sessions(),
    "scores": lambda client: client.scores(),
    "projects": lambda client: client.projects(),
    "jobs": lambda client: client.jobs(),
    "trace": lambda client: client.trace("t"),
    "observation": lambda client: client.observation("o"),
    "session": lambda client: client.session("s"),
}
LISTS = ("traces", "sessions", "scores", "projects", "jobs")


def client_of(body: Any) -> LangfuseClient:
    return LangfuseClient("http://lf.test", "pk", "sk", http=Answered(lambda _: answer_of(200, body)))


@pytest.mark.parametrize("name", CALLS)
async def test_an_id_is_enough_and_unknown_fields_are_ignored(name: str) -> None:
    row = {"id": "x", "newField": {"a": 1}}
    answer = await CALLS[name](client_of({"data": [row], "more": 1} if name in LISTS else row))
    rows = getattr(answer, "data", answer if name in LISTS else [answer])
    assert [each.id for each in rows] == ["x"]


async def test_numbers_may_be_texts() -> None:
    page = await client_of({"data": [{"id": "x", "totalCost": "0.25", "latency": 1}]}).traces()
    assert (page.data[0].total_cost, page.data[0].latency) == (0.25, 1.0)


async def test_a_score_keeps_the_type_of_its_value() -> None:
    rows = [{"id": str(number), "value": value} for number, value in enumerate((1, 0.5, True, "1", None))]
    page = await client_of({"data": rows}).scores()
    assert [repr(score.value) for score in page.data] == ["1", "0.5", "True", "'1'", "None"]


async def test_an_answer_of_another_shape_is_an_error() -> None:
    with pytest.raises(RemoteError, match="unexpected"):
        await client_of({"data": [{"name": "no id"}]}).traces()


async def test_null_is_as_good_as_absent_but_not_within_the_users_json() -> None:
    answer = {
        "id": "x",
        "tags": None,
        "scores": None,
        "observations": [{"id": "o", "input": {"a": None}, "usage": None}],
    }
    trace = await client_of(answer).trace("x")
    assert (trace.tags, trace.scores) == ([], [])
    assert trace.observations[0].input == {"a": None}
