"""Nothing of what is printed is obeyed by the terminal, whatever it is and wherever it goes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from appliance.cli import logs
from appliance.cli.data.datasets import datasets
from appliance.cli.data.metrics import metrics
from appliance.cli.data.observations import observations
from appliance.cli.data.prompts import prompts
from appliance.cli.data.scores import scores
from appliance.cli.data.sessions import sessions
from appliance.cli.data.trace import trace
from appliance.cli.data.traces import traces
from appliance.cli.output import json_text
from appliance.paths import DataDir
from tests.unit.cli.canned_api import Api, run

HOSTILE = "\x1b]52;c;cHduZWQ=\x07\x1b[2Jline1\nline2\u202e\x9b31m\x7f\u2028end"
ROW: dict[str, Any] = {
    "id": f"id{HOSTILE}",
    "timestamp": "2026-01-01T00:00:00Z",
    **dict.fromkeys(("startTime", "endTime", "createdAt", "updatedAt", "lastUpdatedAt"), "2026-01-01T00:00:00Z"),
    **dict.fromkeys(("name", "input", "userId", "sessionId", "environment", "type", "model", "level"), HOSTILE),
    **dict.fromkeys(("statusMessage", "traceId", "observationId", "source", "comment", "stringValue"), HOSTILE),
    **dict.fromkeys(("description", HOSTILE), HOSTILE),
    "tags": [HOSTILE],
    "labels": [HOSTILE],
    "versions": [1],
    "observations": [],
}
TRACE = ROW | {
    "observations": [ROW | {"level": "ERROR", "parentObservationId": None}],
    "scores": [ROW],
    "output": "@@@langfuseMedia:type=image/png|id=uEig0wSz8oCevEy61aDUP9|source=bytes@@@",
}
MEDIA = {"mediaId": "uEig0wSz8oCevEy61aDUP9", "contentType": HOSTILE, "contentLength": 1, "url": HOSTILE}
PAGE = {"data": [ROW], "meta": {"totalPages": 1}}


def answers(api: Api) -> None:
    for name in ("traces", "sessions", "observations", "v2/scores", "v2/prompts", "v2/datasets", "metrics"):
        api.answers[f"/api/public/{name}"] = PAGE
    api.answers["/api/public/traces/t"] = TRACE
    api.answers["/api/public/media/uEig0wSz8oCevEy61aDUP9"] = MEDIA


LISTS = (traces, sessions, observations, scores, prompts, datasets, metrics)


@pytest.mark.parametrize("command", LISTS, ids=lambda command: str(command.name))
def test_lists_have_a_printable_line_for_each_row(api: Api, command: click.Command) -> None:
    answers(api)
    lines = run(api, command).stdout.splitlines()
    assert len(lines) == 2 and all(line.isprintable() for line in lines)
    [row] = json.loads(run(api, command, "--json").stdout)
    assert row == ROW


def test_a_trace_is_a_tree_of_printable_lines(api: Api) -> None:
    answers(api)
    lines = run(api, trace, "t").stdout.splitlines()
    assert all(line.isprintable() for line in lines)
    assert [line for line in lines if line.lstrip().startswith(("line2", "end"))] == []
    assert json.loads(run(api, trace, "t", "--jsonl").stdout) == TRACE


def test_words_of_a_server_are_printable(api: Api) -> None:
    api.answers["/api/public/traces"] = lambda _query: (400, {"message": HOSTILE})
    done = program(api, "traces")
    assert done.returncode == 1
    [line] = done.stderr.decode().splitlines()
    assert line.startswith("Error: ") and line.isprintable()


def test_words_of_a_user_are_printable() -> None:
    for arguments in (["traces", f"--{HOSTILE}"], ["traces", f"cost>{HOSTILE}"], [HOSTILE]):
        done = subprocess.run([sys.executable, "-m", "appliance", *arguments], capture_output=True, timeout=60)
        assert done.returncode in (1, 2)
        assert done.stderr.decode().replace("\n", "").isprintable()


def test_logs_are_printable_line_by_line(tmp_path: Path) -> None:
    place = DataDir(tmp_path)
    place.logs.mkdir()
    place.log_file("web").write_text(f"{HOSTILE}\n{HOSTILE}\n")
    assert len(CliRunner().invoke(logs.logs, ["web", "--data-dir", str(tmp_path)]).stdout.split("\n")) == 5
    done = subprocess.run(
        [sys.executable, "-m", "appliance", "logs", "--data-dir", str(tmp_path)], capture_output=True, timeout=60
    )
    lines = done.stdout.decode().split("\n")
    assert len(lines) == 5 and all(line.isprintable() for line in lines)


def program(api: Api, *arguments: str, environ: dict[str, str] | None = None, **how: Any) -> Any:
    """The command line as a program, on the canned server."""
    keys = ["--url", api.url, "--public-key", "pk", "--secret-key", "sk"]
    command = [sys.executable, "-m", "appliance", *arguments, *keys]
    return subprocess.run(command, capture_output=not how, env={**os.environ, **(environ or {})}, timeout=60, **how)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "euc_jp"])
def test_what_an_encoding_lacks_is_replaced_in_its_width(api: Api, encoding: str) -> None:
    row = ROW | {"id": "t", "name": "日本 ü – 🙂", "tags": [], "input": "x" * 999}
    api.answers["/api/public/traces"] = {"data": [row, row | {"name": "plain"}], "meta": {}}
    api.answers["/api/public/traces/t"] = TRACE | {"name": row["name"]}
    environ = {"PYTHONIOENCODING": encoding}
    first, second = program(api, "traces", environ=environ).stdout.decode(encoding).splitlines()[1:]
    assert _cells(first[: first.index(" t", 60)]) == _cells(second[: second.index(" t", 60)])
    assert program(api, "trace", "t", environ=environ).stdout.decode(encoding).isascii() or encoding != "ascii"
    found = json.loads(program(api, "traces", "--json", environ=environ).stdout.decode(encoding))
    assert found[0]["name"] == row["name"]


def _cells(text: str) -> int:
    from rich.cells import cell_len

    return cell_len(text)


def test_a_full_disk_is_one_sentence(api: Api) -> None:
    answers(api)
    for arguments in (["traces"], ["traces", "--json"], ["trace", "t"]):
        with Path("/dev/full").open("w") as full:
            done = program(api, *arguments, stdout=full, stderr=subprocess.PIPE)
        assert done.returncode == 1
        assert done.stderr.decode() == "Error: Standard output cannot be written: No space left on device.\n"


def test_closed_streams_are_one_sentence_or_none(api: Api) -> None:
    answers(api)

    done = program(api, "traces", stderr=subprocess.PIPE, preexec_fn=lambda: os.close(1))
    assert done.returncode == 1
    assert done.stderr.decode() == "Error: Standard output cannot be written: it is closed.\n"
    done = program(api, "traces", stdout=subprocess.PIPE, preexec_fn=lambda: os.closerange(2, 3))
    assert done.returncode == 0 and b"id" in done.stdout


def test_a_reader_that_has_seen_enough_hears_nothing(api: Api) -> None:
    answers(api)
    reading, writing = os.pipe()
    os.close(reading)
    done = program(api, "traces", "--json", stdout=writing, stderr=subprocess.PIPE)
    os.close(writing)
    assert done.stderr == b""


def test_json_escapes_what_is_not_printable() -> None:
    value = {"a": HOSTILE + "\ud800\U000e0041 日本", "b": ["ü"]}
    for indent in (None, 2):
        text = json_text(value, indent=indent)
        assert text.replace("\n", "").isprintable() and "日本" in text
        assert json.loads(text) == value
