"""The control socket: its path, its rights, and the request to stop."""

from __future__ import annotations

import asyncio
import errno
import stat
import tempfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from appliance.data_dir.lock import make_folders
from appliance.errors import StartFailed
from appliance.orchestrator.control import serve_control
from appliance.orchestrator.control_socket import choose_socket_path, open_control_socket, remove_socket, request_stop
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


def test_the_control_socket_has_a_short_path_that_is_ones_own(tmp_path: Path) -> None:
    near = DataDir(tmp_path / "d")
    make_folders(near)
    if len(str(near.run)) < 80:
        assert choose_socket_path(near) == near.run / "control.sock"
    far = DataDir(tmp_path / ("x" * 90) / "d")
    make_folders(far)
    path = choose_socket_path(far)
    open_control_socket(path).close()
    assert len(str(path)) <= 100
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700 and stat.S_IMODE(path.stat().st_mode) == 0o600
    remove_socket(path, far)
    assert not path.parent.exists()


def test_without_any_short_path_the_way_out_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "mkdtemp", refuse)
    with pytest.raises(StartFailed, match="Set TMPDIR"):
        choose_socket_path(DataDir(tmp_path / ("x" * 90)))


def refuse(**_options: object) -> str:
    raise OSError(errno.EACCES, "Permission denied")
