"""Which Redis server the embedded runtime starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.orchestrator.runtimes.embedded_redis import find_server, server_version


def test_the_server_of_the_wheel_goes_before_those_on_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package installed between two starts must not change what writes the queue's file."""
    for name in ("redis-server", "valkey-server"):
        program = tmp_path / name
        program.write_text("#!/bin/sh\necho 'Redis server v=99.0.0 sha=0'\n")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    server = find_server()
    assert server.parent != tmp_path
    assert (server_version(server) or ()) >= (6, 2)
