"""`delete` asks first, sends what was named, and says what went."""

from __future__ import annotations

import json

from appliance.cli.delete import dataset_run
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
