"""Paths of sockets as users read them."""

from __future__ import annotations

from pathlib import Path

from appliance.orchestrator.host.socket_paths import display_path


def test_a_socket_is_shown_by_its_path_in_the_data_directory(tmp_path: Path) -> None:
    assert display_path(tmp_path / "run" / "redis.sock", tmp_path) == "run/redis.sock"
    assert display_path(Path("/tmp/lfl-1/redis.sock"), tmp_path) == "/tmp/lfl-1/redis.sock"
