"""A program with each official SDK sends a trace; the public API gives back all that it said."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.acceptance.appliance_process import Appliance, eventually
from tests.acceptance.sdks import SDKS, Sdk, run_program

Json = dict[str, Any]


class Sent:
    """What one SDK's program sent, and how to read it back."""

    def __init__(self, sdk: Sdk, http: httpx.Client, ids: dict[str, str], session: str) -> None:
        self.sdk, self.http, self.ids, self.session = sdk, http, ids, session
        self.first_seen: Json | None = None
        trace = eventually(self._read_trace, until=self._is_complete, within_s=15)
        assert trace is not None
        self.trace = trace

    def get(self, path: str, **params: str) -> Json:
        answer = self.http.get(path, params=params)
        assert answer.status_code == 200, answer.text
        body: Json = answer.json()
        return body

    def observation(self, role: str) -> Json:
        return next(entry for entry in self.trace["observations"] if entry["id"] == self.ids[role])

    def _read_trace(self) -> Json | None:
        answer = self.http.get(f"/api/public/traces/{self.ids['trace']}")
        assert answer.status_code in (200, 404), answer.text
        if answer.status_code == 404:
            return None
        trace: Json = answer.json()
        self.first_seen = self.first_seen or trace
        return trace

    def _is_complete(self, trace: Json | None) -> bool:
        return trace is not None and len(trace["observations"]) == 4 and len(trace["scores"]) == 3


@pytest.fixture(scope="module", params=SDKS, ids=lambda sdk: sdk.name)
def sent(request: pytest.FixtureRequest, appliance: Appliance) -> Iterator[Sent]:
    sdk: Sdk = request.param
    session = f"session-{uuid.uuid4().hex[:8]}"
    environ = appliance.environ | {name: value for name, value in appliance.settings.items() if "OTEL" not in name}
    environ["LANGFUSE_BASEURL"] = appliance.url
    environ.pop("PYTHONPATH")
    ids = run_program(sdk, environ, session)
    with appliance.http() as http:
        yield Sent(sdk, http, ids, session)


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_the_trace_carries_what_was_said_of_it(sent: Sent) -> None:
    trace = sent.trace
    assert trace["name"] == "rag-answer"
    assert trace["userId"] == "user-acceptance"
    assert trace["sessionId"] == sent.session
    assert trace["tags"] == ["acceptance", "sdk"]
    assert trace["metadata"]["tenant"] == "t1"
    assert trace["version"] == "7"
    assert trace["input"] == {"question": "What is a span?"}
    assert trace["output"] == {"answer": "A unit of work."}
    assert trace["public"] is False
    assert trace["environment"] == "default"
    assert trace["totalCost"] == pytest.approx(0.00045)
    assert 0 <= trace["latency"] < 30


def test_a_trace_is_never_seen_without_its_observations(sent: Sent) -> None:
    if sent.sdk.is_otel:
        assert sent.first_seen is not None
        assert len(sent.first_seen["observations"]) == 4


def test_the_tree_has_types_and_parents(sent: Sent) -> None:
    ids = sent.ids
    shape = {entry["id"]: (entry["type"], entry["parentObservationId"]) for entry in sent.trace["observations"]}
    assert shape == {
        ids["root"]: ("SPAN", None),
        ids["step"]: ("RETRIEVER" if sent.sdk.is_otel else "SPAN", ids["root"]),
        ids["generation"]: ("GENERATION", ids["step"]),
        ids["failure"]: ("TOOL" if sent.sdk.is_otel else "EVENT", ids["root"]),
    }
    assert sent.observation("root")["metadata"]["step"] == 1
    assert sent.observation("step")["input"] == "What is a span?"
    assert sent.observation("step")["output"] == ["A unit of work."]


def test_the_generation_has_model_tokens_cost_and_times(sent: Sent) -> None:
    generation = sent.observation("generation")
    assert generation["name"] == "call-model"
    assert generation["model"] == "gpt-4o-mini"
    assert {key: float(value) for key, value in generation["modelParameters"].items()} == {
        "temperature": 0.2,
        "max_tokens": 256,
    }
    assert generation["input"] == [{"role": "user", "content": "What is a span?"}]
    assert generation["output"] == {"role": "assistant", "content": "A unit of work."}
    assert generation["metadata"]["attempt"] == 2
    assert generation["metadata"]["nested"] == {"a": [1, 2]}
    assert generation["usageDetails"] == {"input": 1000, "output": 500, "total": 1500}
    assert generation["usage"]["input"] == 1000
    assert generation["usage"]["total"] == 1500
    assert generation["costDetails"]["input"] == pytest.approx(0.00015)
    assert generation["costDetails"]["output"] == pytest.approx(0.0003)
    assert generation["calculatedTotalCost"] == pytest.approx(0.00045)
    start, first_token, end = (moment(generation[key]) for key in ("startTime", "completionStartTime", "endTime"))
    # Some programs take the first token's time on the line before the generation's own start.
    assert start - timedelta(milliseconds=50) <= first_token <= end and start <= end
    assert generation["timeToFirstToken"] is not None


def test_the_failure_is_an_error_with_its_message(sent: Sent) -> None:
    failure = sent.observation("failure")
    assert (failure["name"], failure["level"], failure["statusMessage"]) == (
        "broken-tool",
        "ERROR",
        "upstream timed out",
    )


def test_every_list_of_observations_has_them_once(sent: Sent) -> None:
    expected = sorted(sent.ids[role] for role in ("root", "step", "generation", "failure"))
    v1 = sent.get("/api/public/observations", traceId=sent.ids["trace"])
    assert sorted(entry["id"] for entry in v1["data"]) == expected
    assert v1["meta"]["totalItems"] == 4
    v2 = sent.get("/api/public/v2/observations", traceId=sent.ids["trace"], fields="core,basic,model,usage,io")
    assert sorted(entry["id"] for entry in v2["data"]) == expected
    generation = next(entry for entry in v2["data"] if entry["id"] == sent.ids["generation"])
    assert generation["model"] == "gpt-4o-mini"
    assert generation["usageDetails"]["total"] == 1500
    single = sent.get(f"/api/public/observations/{sent.ids['generation']}")
    assert single["traceId"] == sent.ids["trace"]


def test_lists_find_the_trace_and_the_session(sent: Sent) -> None:
    traces = sent.get("/api/public/traces", sessionId=sent.session, name="rag-answer", tags="sdk")
    assert [entry["id"] for entry in traces["data"]] == [sent.ids["trace"]]
    assert sorted(traces["data"][0]["observations"]) == sorted(entry["id"] for entry in sent.trace["observations"])
    sessions = sent.get("/api/public/sessions", limit="100")
    assert sent.session in [entry["id"] for entry in sessions["data"]]
    session = sent.get(f"/api/public/sessions/{sent.session}")
    assert [entry["id"] for entry in session["traces"]] == [sent.ids["trace"]]


def test_scores_read_the_same_in_every_generation_of_the_api(sent: Sent) -> None:
    of_trace = {score["name"]: score for score in sent.trace["scores"]}
    v2 = {score["name"]: score for score in sent.get("/api/public/v2/scores", traceId=sent.ids["trace"])["data"]}
    for scores in (of_trace, v2):
        assert (scores["quality"]["value"], scores["quality"]["dataType"]) == (0.75, "NUMERIC")
        assert scores["quality"]["comment"] == "close"
        assert scores["quality"]["observationId"] is None
        assert (scores["verdict"]["stringValue"], scores["verdict"]["dataType"]) == ("good", "CATEGORICAL")
        assert scores["verdict"]["observationId"] == sent.ids["generation"]
        assert (scores["helpful"]["value"], scores["helpful"]["stringValue"]) == (1, "True")
        assert {score["source"] for score in scores.values()} == {"API"}
    v3 = sent.get("/api/public/v3/scores", traceId=sent.ids["trace"], fields="subject")["data"]
    assert {score["name"]: score["value"] for score in v3} == {"quality": 0.75, "verdict": "good", "helpful": True}
    subjects = {score["name"]: score["subject"]["kind"] for score in v3}
    assert subjects == {"quality": "trace", "verdict": "observation", "helpful": "trace"}
