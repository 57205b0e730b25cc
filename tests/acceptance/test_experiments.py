"""Experiments of the official Python SDKs: a dataset run with its traces and scores, read back and deleted."""

from __future__ import annotations

import dataclasses
import json
import uuid
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests.acceptance.appliance_process import Appliance, eventually
from tests.acceptance.sdks import SDKS, run_program

RUN = "run 1/ä"


class Experiment:
    """An experiment that the program of one SDK ran over a new dataset of four items."""

    def __init__(self, appliance: Appliance, name: str) -> None:
        sdk = next(sdk for sdk in SDKS if sdk.name == name)
        self._sdk = dataclasses.replace(sdk, program="python_experiment.py")
        self._environ = appliance.environ | {
            name: value for name, value in appliance.settings.items() if "OTEL" not in name
        }
        self._environ.pop("PYTHONPATH")
        self.dataset = f"numbers/{uuid.uuid4()}"
        self.path = f"/api/public/datasets/{quote(self.dataset, safe='')}/runs/{quote(RUN, safe='')}"
        printed = self.program("run")
        self.traces: dict[str, str] = json.loads(printed["traces"])
        self.run: dict[str, Any] | None = json.loads(printed["run"]) if "run" in printed else None

    def program(self, action: str) -> dict[str, Any]:
        return run_program(self._sdk, self._environ, self.dataset, RUN, action)


def scores(http: httpx.Client, **params: str) -> list[tuple[str, float]]:
    answer = http.get("/api/public/v2/scores", params=params)
    assert answer.status_code == 200, answer.text
    return [(row["name"], row["value"]) for row in answer.json()["data"]]


@pytest.mark.parametrize("name", ["python-4.18", "python-3.15"])
def test_a_run_is_read_back_and_deleted(appliance: Appliance, name: str) -> None:
    experiment = Experiment(appliance, name)
    run = experiment.run
    assert run is not None and len(experiment.traces) == 4
    assert run["items"] == experiment.traces
    assert run["metadata"] == {"model": "none"}
    with appliance.http() as http:
        of_run = [("share of right", 0.75)]
        eventually(lambda: scores(http, datasetRunId=run["id"]), until=lambda seen: seen == of_run)
        [trace_id] = [trace for item, trace in experiment.traces.items() if item.endswith(" 3")]
        eventually(lambda: scores(http, traceId=trace_id), until=lambda seen: seen == [("is right", 0)])
        assert experiment.program("delete") == {"left": 0}
        assert http.get(experiment.path).status_code == 404
        assert scores(http, datasetRunId=run["id"]) == []
        assert scores(http, traceId=trace_id) == [("is right", 0)]


def test_scores_of_an_experiment_belong_to_the_run_of_its_name(appliance: Appliance) -> None:
    """Python SDK 5 records no runs."""
    experiment = Experiment(appliance, "python-5")
    assert experiment.run is None and len(experiment.traces) == 4
    with appliance.http() as http:
        for item, trace in experiment.traces.items():
            body = {"runName": RUN, "datasetItemId": item, "traceId": trace}
            assert http.post("/api/public/dataset-run-items", json=body).status_code == 200
        run = http.get(experiment.path).json()
        assert {each["datasetItemId"]: each["traceId"] for each in run["datasetRunItems"]} == experiment.traces
        of_run = [("share of right", 0.75)]
        eventually(lambda: scores(http, datasetRunId=run["id"]), until=lambda seen: seen == of_run)
        assert http.delete(experiment.path).status_code == 200
        assert scores(http, datasetRunId=run["id"]) == []
