"""The columns of `status`."""

from __future__ import annotations

import pytest

from appliance.cli.status import _print
from appliance.model.services import ApplianceStatus, ServiceStatus


@pytest.mark.parametrize("name", ["web", "worker-b6c9d2abe972"])
def test_every_name_keeps_its_distance(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    service = ServiceStatus(name=name, state="external")
    _print(ApplianceStatus(healthy=True, url="", runtime="external", data_dir="/data", services=[service]))
    assert f"{name}  " in capsys.readouterr().out


def test_no_services_are_no_rows(capsys: pytest.CaptureFixture[str]) -> None:
    _print(ApplianceStatus(healthy=False, url="", runtime="external", data_dir="/data"))
    assert "queue" in capsys.readouterr().out
