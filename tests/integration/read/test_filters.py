"""Every type of condition on every column of every list is answered or refused, and none is a mistake of ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, get_args

import pytest

from appliance.errors import InvalidRequest
from appliance.model.filters import MAX_CONDITIONS, MAX_SEARCHES, OPERATORS, Condition, parse_conditions
from appliance.model.metrics import View
from appliance.storage.clickhouse.observation_filters import OBSERVATION_COLUMNS
from appliance.storage.clickhouse.scores import SCORE_COLUMNS
from appliance.storage.clickhouse.sessions import SESSION_COLUMNS
from appliance.storage.clickhouse.traces.filters import TRACE_COLUMNS
from appliance.storage.clickhouse.where import Binder, FilterColumn
from tests.integration.read.conftest import NOW, SECOND, Project

Json = dict[str, Any]

VALUES: Final[Mapping[str, Any]] = {
    "datetime": "2025-11-23T10:50:00+02:00",
    "string": "a'\\%_ü",
    "stringOptions": ["a", "'"],
    "categoryOptions": ["a", ""],
    "arrayOptions": ["a", "b"],
    "number": 1.5,
    "stringObject": "(a",
    "numberObject": -3,
    "booleanObject": True,
    "boolean": False,
    "null": "",
    "positionInTrace": 1,
}
LISTS: Final[Mapping[str, Mapping[str, FilterColumn]]] = {
    "/traces": TRACE_COLUMNS,
    "/observations": OBSERVATION_COLUMNS,
    "/v2/observations": OBSERVATION_COLUMNS,
    "/scores": SCORE_COLUMNS,
    "/v2/scores": SCORE_COLUMNS,
    "/sessions": SESSION_COLUMNS,
    "/metrics/daily": TRACE_COLUMNS,
}
OF_VIEWS: Final[Mapping[str, Mapping[str, FilterColumn]]] = {
    view: {"traces": TRACE_COLUMNS, "observations": OBSERVATION_COLUMNS}.get(view, SCORE_COLUMNS)
    for view in get_args(View)
}


def conditions_on(name: str, column: FilterColumn) -> list[Json]:
    """A condition of every type and operator that fits the column."""
    conditions = [
        {"type": kind, "column": name, "operator": operator, "value": value, "key": key}
        for kind, value in VALUES.items()
        for operator in OPERATORS[kind]
        for key in ("plan", "customer.plan.0")
    ]
    return [each for each in conditions if _fits(column, parse_conditions([each])[0])]


def _fits(column: FilterColumn, condition: Condition) -> bool:
    try:
        Binder().test(column, condition)
    except InvalidRequest:
        return False
    return True


async def filled(project: Project) -> None:
    await project.observation("a", "o", level="ERROR", end_time=NOW + SECOND, metadata={"plan": "a"}, total_cost=1)
    await project.trace("a", name="a", user_id="u", session_id="s", tags=["a"], metadata={"plan": "a"})
    await project.score("1", trace_id="a", value=0.2, metadata={"plan": "a"})
    await project.score("2", trace_id="a", data_type="CATEGORICAL", name="plan", string_value="a")
    await project.score("3", trace_id="a", data_type="BOOLEAN", name="plan", value=1, string_value="True")


@pytest.mark.parametrize("path", LISTS)
async def test_each_list_answers_all_conditions_that_fit_a_column(project: Project, path: str) -> None:
    await filled(project)
    for name, column in LISTS[path].items():
        found = conditions_on(name, column)
        assert found
        answer = await project.answer(path, filter=found)
        assert answer.status_code == 200, (name, answer.text)


@pytest.mark.parametrize("view", OF_VIEWS)
async def test_each_view_of_metrics_does(project: Project, view: str) -> None:
    await filled(project)
    for name, column in OF_VIEWS[view].items():
        query = {
            "view": view,
            "metrics": [{"measure": "count", "aggregation": "count"}],
            "fromTimestamp": "2025-01-01T00:00:00Z",
            "toTimestamp": "2026-01-01T00:00:00Z",
            "filters": conditions_on(name, column),
        }
        answer = await project.answer("/metrics", query=query)
        assert answer.status_code == 200, (name, answer.text)


@pytest.mark.parametrize("path", LISTS)
async def test_what_does_not_fit_is_refused(project: Project, path: str) -> None:
    wrong = []
    for name, column in [
        *LISTS[path].items(),
        ("scores", FilterColumn("numbers", "")),
        ("nope", FilterColumn("string", "")),
    ]:
        fitting = {condition["type"] for condition in conditions_on(name, column)}
        for kind in OPERATORS.keys() - fitting:
            condition = {
                "type": kind,
                "column": name,
                "operator": OPERATORS[kind][0],
                "value": VALUES[kind],
                "key": "k",
            }
            answer = await project.answer(path, filter=[condition])
            if answer.status_code not in (200, 400):
                wrong.append((condition, answer.text))
    assert wrong == []


@pytest.mark.parametrize("path", LISTS)
async def test_as_many_conditions_as_are_possible_are_answered(project: Project, path: str) -> None:
    await filled(project)
    for name in ("id", "traceName", "metadata", "latency"):
        column = LISTS[path].get(name)
        if column is None:
            continue
        fitting = conditions_on(name, column)
        found = [
            {**condition, "key": f"{'deep.' * 2}{number}"}
            for number, condition in enumerate((fitting * MAX_CONDITIONS)[:MAX_CONDITIONS])
        ]
        answer = await project.answer(path, filter=found)
        assert answer.status_code == 200, (name, answer.text)
        status, message = await project.refused(path, filter=[*found, found[0]])
        assert status == 400 and f"at most {MAX_CONDITIONS}" in message


async def test_many_searches_in_one_filter_are_refused(project: Project) -> None:
    await filled(project)
    search = {"type": "string", "column": "search", "operator": "contains", "value": "a"}
    for path in ("/traces", "/observations", "/v2/observations"):
        assert len((await project.get(path, filter=[search] * MAX_SEARCHES))["data"]) <= 1
        status, message = await project.refused(path, filter=[search] * (MAX_SEARCHES + 1))
        assert status == 400 and f"at most {MAX_SEARCHES}" in message


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"type": "numberObject", "column": "scores", "key": "quality", "operator": "<", "value": 0.5}, 1),
        ({"type": "numberObject", "column": "scores", "key": "quality", "operator": ">", "value": 0.5}, 0),
        ({"type": "categoryOptions", "column": "scores", "key": "plan", "operator": "any of", "value": ["a"]}, 1),
        ({"type": "booleanObject", "column": "scores", "key": "plan", "operator": "=", "value": False}, 0),
    ],
)
async def test_days_are_filtered_by_scores(project: Project, condition: Json, expected: int) -> None:
    await filled(project)
    days = (await project.get("/metrics/daily", filter=[condition]))["data"]
    assert [(day["countTraces"], day["countObservations"]) for day in days] == [(1, 1)] * expected


METADATA: Final = {
    "flat": "x",
    "customer": '{"plan":"pro","seats":3,"active":true,"address":{"city":"Köln"}}',
    "items": '[{"id":"a1"},{"id":"a2"}]',
    "attributes": '{"http.method":"GET"}',
    "customer.name": "Ann",
    "2024": '{"q1":"y"}',
}
DEEP: Final = [
    ("flat", "stringObject", "=", "x", True),
    ("customer.plan", "stringObject", "=", "pro", True),
    ("customer.plan", "stringObject", "contains", "r", True),
    ("customer.plan", "stringObject", "=", "free", False),
    ("customer.plan", "stringObject", "is set", "", True),
    ("customer.none", "stringObject", "is set", "", False),
    ("customer.none", "stringObject", "is not set", "", True),
    ("customer.seats", "numberObject", ">=", 3, True),
    ("customer.seats", "numberObject", "<", 3, False),
    ("customer.none", "numberObject", "<", 3, False),
    ("customer.seats", "stringObject", "=", "3", True),
    ("customer.active", "booleanObject", "=", True, True),
    ("customer.address.city", "stringObject", "ends with", "ln", True),
    ("customer.address", "stringObject", "contains", "Köln", True),
    ("customer.plan", "categoryOptions", "any of", ["free", "pro"], True),
    ("customer.plan", "categoryOptions", "none of", ["free"], True),
    ("customer.name", "stringObject", "=", "Ann", True),
    ("attributes.http.method", "stringObject", "=", "GET", True),
    ("items.1.id", "stringObject", "=", "a2", True),
    ("items.2.id", "stringObject", "is set", "", False),
    ("2024.q1", "stringObject", "starts with", "y", True),
    ("customer", "stringObject", "contains", "pro", True),
    ("flat.x.y.z.a.b.c", "stringObject", "is set", "", False),
    (".", "stringObject", "is set", "", False),
]


async def test_metadata_is_found_at_any_depth(project: Project) -> None:
    await project.observation("a", "o", metadata=METADATA)
    await project.trace("a", metadata=METADATA)
    await project.score("1", trace_id="a", metadata=METADATA)
    wrong = []
    for key, kind, operator, value, expected in DEEP:
        condition = {"type": kind, "column": "metadata", "key": key, "operator": operator, "value": value}
        for path in ("/traces", "/observations", "/v2/observations", "/v2/scores"):
            found = (await project.get(path, filter=[condition]))["data"]
            if bool(found) != expected:
                wrong.append((path, condition))
    assert wrong == []
