"""Each thing that goes wrong with Docker is one sentence that names it and says what to do."""

from __future__ import annotations

import pytest

from appliance.errors import PortTaken
from appliance.orchestrator.runtimes.docker.failures import (
    describe_end,
    explain_api_error,
    explain_connection,
    refuses_ulimits,
)


@pytest.mark.parametrize(
    ("reason", "sentence"),
    [
        ("('Connection aborted.', PermissionError(13, 'Permission denied'))", "This user may not use Docker"),
        ("('Connection aborted.', FileNotFoundError(2, 'No such file or directory'))", "No Docker is running here"),
        ("('Connection aborted.', ConnectionRefusedError(111, 'Connection refused'))", "does not answer"),
        ("HTTPConnectionPool: Read timed out. (read timeout=60)", "does not answer in time"),
    ],
)
def test_an_engine_that_cannot_be_reached(reason: str, sentence: str) -> None:
    error = explain_connection("unix:///var/run/docker.sock", reason)
    assert sentence in error.message and error.hint


def test_a_lost_port_names_the_commands_that_change_it() -> None:
    error = explain_api_error("start redis", "Bind failed: port is already allocated", host_port=1)
    assert isinstance(error, PortTaken) and error.port == 1
    assert "langfuse-local down, then up" in error.hint


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("driver failed: Bind for 127.0.0.1:15432 failed: port is already allocated", "port 1 is taken"),
        ("listen tcp4 127.0.0.1:15432: bind: address already in use", "port 1 is taken"),
        ("write /var/lib/docker/tmp/x: no space left on device", "its disk is full"),
        (
            "Get https://registry-1.docker.io/v2/: dial tcp: lookup registry-1.docker.io: no such host",
            "registry cannot be",
        ),
        ("manifest for postgres:99 not found: manifest unknown", "postgres:99 does not exist"),
        ("pull access denied for x, repository does not exist or may require 'docker login'", "may not be fetched"),
        ("toomanyrequests: You have reached your pull rate limit", "rate limit"),
        ("no matching manifest for linux/riscv64 in the manifest list entries", "kind of processor"),
        ("something new\nwith details", "Docker cannot fetch it: something new."),
    ],
)
def test_a_refusal_of_the_engine(text: str, sentence: str) -> None:
    error = explain_api_error("fetch it", text, image="postgres:99", host_port=1)
    assert sentence in error.message
    assert "\n" not in error.message


def test_resource_limits_that_are_refused() -> None:
    assert refuses_ulimits("OCI runtime create failed: error setting rlimit type 7: operation not permitted")
    assert not refuses_ulimits("port is already allocated")


@pytest.mark.parametrize(
    ("code", "lines", "sentence"),
    [
        (0, [], "exited with code 0"),
        (137, [], "was killed"),
        (3, ["one", "the last word", ""], "exited with code 3: the last word"),
        (
            1,
            [
                "FATAL:  database files are incompatible with server",
                "DETAIL:  The data directory was initialized by PostgreSQL version 18, which is not compatible with"
                " this version 17.6.",
            ],
            "exited with code 1: its volume holds data of PostgreSQL 18, which img:1 cannot read",
        ),
        (1, ["# Can't handle RDB format version 12"], "data of a newer Redis"),
        (1, ["initdb: could not write: No space left on device"], "the disk is full"),
        (1, ["initdb: error: could not access directory: Permission denied"], "may not use its volume"),
    ],
)
def test_how_a_container_ended(code: int, lines: list[str], sentence: str) -> None:
    said = describe_end(code, is_out_of_memory=False, memory_bytes=0, lines=lines, image="img:1")
    assert sentence in said
