"""The reading commands against a server that answers what a test wants."""

from __future__ import annotations

import json
from pathlib import Path

import certifi
import click
import pytest
from click.testing import CliRunner

from appliance.cli.data.metrics import metrics
from appliance.cli.data.observations import observations
from appliance.cli.data.sessions import sessions
from appliance.cli.data.trace import trace
from appliance.cli.data.traces import traces
from appliance.cli.env import env
from appliance.cli.tui import tui
from appliance.config import Settings
from appliance.data_dir.secrets import ensure_secrets
from appliance.data_dir.state import State, write_state
from appliance.paths import DataDir
from tests.unit.cli.canned_api import Api, pages, run


def test_filters_go_to_the_server_as_conditions(api: Api) -> None:
    api.answers["/api/public/traces"] = pages(1)
    done = run(api, traces, "level:ERROR cost>0.01", "--json")
    assert json.loads(done.stdout) == [{"id": "t0"}]
    [(_, query)] = api.asked
    assert [condition["column"] for condition in json.loads(query["filter"])] == ["level", "totalCost"]


def test_observations_are_filtered_by_their_own_columns(api: Api) -> None:
    api.answers["/api/public/observations"] = pages(0)
    run(api, observations, "type:GENERATION", "--trace", "t1")
    [(_, query)] = api.asked
    assert query["traceId"] == "t1"
    [condition] = json.loads(query["filter"])
    assert (condition["type"], condition["column"]) == ("stringOptions", "type")


@pytest.mark.parametrize(("limit", "rows", "requests"), [("5", 5, 1), ("150", 150, 2), ("0", 230, 3)])
def test_as_many_pages_are_read_as_the_limit_needs(api: Api, limit: str, rows: int, requests: int) -> None:
    api.answers["/api/public/traces"] = pages(230)
    done = run(api, traces, "--limit", limit, "--jsonl")
    assert len(done.stdout.splitlines()) == rows
    assert len(api.asked) == requests


def test_nothing_found_leaves_standard_output_empty(api: Api) -> None:
    api.answers["/api/public/sessions"] = pages(0)
    done = run(api, sessions)
    assert done.stdout == ""
    assert "Nothing" in done.stderr


def test_a_trace_is_printed_whole_as_json(api: Api) -> None:
    api.answers["/api/public/traces/a%2Fb"] = {"id": "a/b", "observations": []}
    done = run(api, trace, "a/b", "--json")
    assert json.loads(done.stdout)["id"] == "a/b"
    assert "a/b" in run(api, trace, "a/b").stdout


def test_metrics_ask_for_measures_groups_and_time(api: Api) -> None:
    api.answers["/api/public/metrics"] = {"data": [{"providedModelName": "gpt-4o", "sum_totalCost": 1.5}]}
    done = run(api, metrics, "--by", "providedModelName", "--measure", "totalCost:sum", "--every", "day")
    assert "gpt-4o" in done.stdout
    query = json.loads(api.asked[0][1]["query"])
    assert query["metrics"] == [{"measure": "totalCost", "aggregation": "sum"}]
    assert query["timeDimension"] == {"granularity": "day"}


@pytest.mark.parametrize(("command", "arguments"), [(metrics, ["--last", "soon"]), (metrics, ["--measure", "cost"])])
def test_a_mistake_is_wrong_usage(api: Api, command: click.Command, arguments: list[str]) -> None:
    done = run(api, command, *arguments)
    assert done.exit_code == 2
    assert api.asked == []


def test_an_address_needs_keys() -> None:
    done = CliRunner().invoke(traces, ["--url", "http://127.0.0.1:1"])
    assert done.exit_code == 2
    assert "--public-key" in done.stderr


def test_an_address_without_its_scheme_is_wrong_usage(api: Api) -> None:
    keys = ["--public-key", "pk", "--secret-key", "sk"]
    for command in (traces, tui):
        done = CliRunner().invoke(command, ["--url", api.url.removeprefix("http://"), *keys])
        assert done.exit_code == 2
        assert f"Write {api.url} or https://" in " ".join(done.stderr.split())


def test_a_file_of_certificates_must_be_there(api: Api) -> None:
    api.answers["/api/public/traces"] = pages(1)
    assert run(api, traces, "--ca", "/nonexistent").exit_code == 2
    assert run(api, traces, "--ca", certifi.where()).exit_code == 0


def test_keys_alone_read_another_project_of_the_appliance_here(api: Api, tmp_path: Path) -> None:
    data_dir = DataDir(tmp_path)
    ensure_secrets(data_dir, Settings())
    write_state(data_dir, State(url=api.url))
    api.answers["/api/public/traces"] = pages(1)
    here = ["--data-dir", str(tmp_path), "--json"]
    done = CliRunner().invoke(traces, [*here, "--public-key", "pk-other", "--secret-key", "sk-other"])
    assert done.exit_code == 0, done.stderr
    assert api.logins == [("pk-other", "sk-other")]
    half = CliRunner().invoke(traces, [*here, "--public-key", "pk-other"])
    assert half.exit_code == 2 and "--secret-key" in half.stderr


def test_the_appliance_here_is_asked_where_it_listens(api: Api, tmp_path: Path) -> None:
    data_dir = DataDir(tmp_path)
    ensure_secrets(data_dir, Settings())
    write_state(data_dir, State(url="https://traces.invalid", local_url=api.url))
    api.answers["/api/public/traces"] = pages(1)
    done = CliRunner().invoke(traces, ["--data-dir", str(tmp_path), "--json"])
    assert done.exit_code == 0, done.stderr
    assert api.headers["x-forwarded-host"] == "traces.invalid"
    told = CliRunner().invoke(env, ["--data-dir", str(tmp_path)]).stdout
    assert "LANGFUSE_BASE_URL=https://traces.invalid\n" in told
    write_state(data_dir, State())
    told = CliRunner(env={"NEXTAUTH_URL": "https://traces.invalid/"}).invoke(env, ["--data-dir", str(tmp_path)]).stdout
    assert "LANGFUSE_BASE_URL=https://traces.invalid\n" in told


def test_an_empty_id_is_wrong_usage(api: Api) -> None:
    done = run(api, trace, "")
    assert done.exit_code == 2
    assert api.asked == []
