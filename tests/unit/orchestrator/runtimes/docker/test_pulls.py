"""The progress of a pull, out of the messages that the engine sends."""

from __future__ import annotations

from appliance.orchestrator.runtimes.docker.engine import split_reference
from appliance.orchestrator.runtimes.docker.pulls import PullTracker, parse_message

MESSAGES: list[dict[str, object]] = [
    {"status": "Pulling from library/postgres", "id": "17"},
    {"status": "Already exists", "id": "aaa", "progressDetail": {}},
    {"status": "Pulling fs layer", "id": "bbb", "progressDetail": {}},
    {"status": "Downloading", "id": "bbb", "progressDetail": {"current": 30, "total": 100}},
    {"status": "Verifying Checksum", "id": "bbb", "progressDetail": {}},
    {"status": "Download complete", "id": "bbb", "progressDetail": {}},
    {"status": "Extracting", "id": "bbb", "progressDetail": {"current": 10, "total": 100}},
    {"status": "Pull complete", "id": "bbb", "progressDetail": {}},
    {"status": "Digest: sha256:0123"},
    {"status": "Status: Downloaded newer image for postgres:17"},
]


def test_layers_add_up() -> None:
    tracker = PullTracker("postgres:17")
    seen = [tracker.advance(parse_message(message)) for message in MESSAGES]
    assert (seen[0].layer, seen[0].layers_total) == ("", 0)
    assert (seen[3].current_bytes, seen[3].total_bytes, seen[3].layers_done) == (30, 100, 1)
    assert seen[6].current_bytes == 100, "unpacking does not take the bar back"
    assert (seen[-1].layers_done, seen[-1].layers_total, seen[-1].current_bytes) == (2, 2, 100)


def test_names_of_images() -> None:
    assert split_reference("postgres") == ("postgres", "latest", "")
    assert split_reference("postgres:17") == ("postgres", "17", "")
    assert split_reference("registry:5000/team/redis") == ("registry:5000/team/redis", "latest", "")
    assert split_reference("redis:7@sha256:ab") == ("redis", "7", "sha256:ab")
