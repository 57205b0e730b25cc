"""`delete` asks first, sends what was named, and says what went."""

from __future__ import annotations

import json

import pytest

from appliance.cli.delete import dataset_run, score, trace, traces
from appliance.errors import RemoteError
from tests.unit.cli.canned_api import Api, run

PATH = "/api/public/datasets/a%2Fb/runs/run%201"


def test_a_dataset_run(api: Api) -> None:
    api.answers[PATH] = {"message": "Dataset run successfully deleted"}
    assert run(api, dataset_run, "a/b", "run 1", "--yes").stderr == "Deleted 1 dataset run.\n"
    assert json.loads(run(api, dataset_run, "a/b", "run 1", "--yes", "--json").stdout) == {"dataset_runs": 1}
    assert api.asked == [(PATH, {})] * 2


def test_without_a_yes_nothing_is_sent(api: Api) -> None:
    result = run(api, dataset_run, "a/b", "run 1")
    assert result.exit_code == 1 and "Delete run run 1 of dataset a/b?" in result.stderr
    assert api.asked == []


def test_traces_that_do_not_exist_are_named_and_the_others_deleted(api: Api) -> None:
    api.answers |= {
        "/api/public/traces/a": {"id": "a"},
        "/api/public/traces": {"message": "Traces deleted successfully"},
    }
    with pytest.raises(RemoteError, match="There is no trace nope"):
        run(api, trace, "a", "nope", "a", "--yes")
    assert sorted(path for path, _ in api.asked[:-1]) == ["/api/public/traces/a", "/api/public/traces/nope"]
    assert all(query == {"fields": "core"} for _, query in api.asked[:-1])  # observations may be many and large
    assert api.asked[-1] == ("/api/public/traces", {})


def test_nothing_is_sent_for_a_score_that_does_not_exist(api: Api) -> None:
    with pytest.raises(RemoteError, match="There is no score nope"):
        run(api, score, "nope", "--yes")
    assert [path for path, _ in api.asked] == ["/api/public/v2/scores/nope"]


def test_no_question_about_no_traces(api: Api) -> None:
    api.answers["/api/public/traces"] = {"data": [], "meta": {"totalItems": 0}}
    assert run(api, traces, "user:nobody").stderr == "Deleted 0 traces.\n"
    assert [path for path, _ in api.asked] == ["/api/public/traces"]
