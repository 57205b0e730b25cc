"""How a supervisor is asked to stop."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace

from appliance.data_dir.lock import make_folders
from appliance.orchestrator.control import serve_control
from appliance.orchestrator.control_socket import request_stop
from appliance.paths import DataDir


async def test_a_supervisor_that_is_asked_to_stop_begins_to(tmp_path: Path) -> None:
    data_dir = DataDir(tmp_path)
    make_folders(data_dir)
    appliance = SimpleNamespace(data_dir=data_dir, stopping=asyncio.Event())
    async with serve_control(appliance) as path:  # type: ignore[arg-type]
        assert not appliance.stopping.is_set()
        assert await asyncio.to_thread(request_stop, str(path))
        assert appliance.stopping.is_set()
    assert not request_stop(str(path))


def test_one_that_has_no_socket_yet_is_not_asked() -> None:
    assert not request_stop(None)
