"""What `doctor` finds of the runtime that was chosen."""

from __future__ import annotations

import pwd
from pathlib import Path
from typing import Literal

import pytest

from appliance.config import DockerSettings, Settings
from appliance.errors import RuntimeUnavailable
from appliance.orchestrator.doctor import run_checks
from appliance.orchestrator.processes.child import inherited_environ, launch_process
from appliance.orchestrator.runtimes.docker.engine import DockerEngine
from appliance.orchestrator.runtimes.embedded.postgres import EmbeddedPostgres
from appliance.paths import DataDir
from tests.unit.orchestrator.runtimes.docker.fake_engine import FakeEngine


def test_a_docker_that_is_not_there_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def connect(_address: str) -> DockerEngine:
        raise RuntimeUnavailable("No Docker is running here.", hint="Start Docker.")

    monkeypatch.setattr(DockerEngine, "connect", connect)
    docker = DockerSettings(host=f"unix://{tmp_path}/none.sock")
    found = {one.subject: one for one in run_checks(Settings(data_dir=tmp_path, runtime="docker", docker=docker))}
    assert (found["docker"].level, found["docker"].advice) == ("fail", "Start Docker.")
    assert "clickhouse" not in found  # of the embedded runtime


def test_a_docker_that_answers_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Engine(FakeEngine):
        async def close(self) -> None:
            """Nothing is open."""

    async def connect(_address: str) -> Engine:
        return Engine()

    monkeypatch.setattr(DockerEngine, "connect", connect)
    docker = DockerSettings(host=f"unix://{tmp_path}/some.sock")
    found = {one.subject: one for one in run_checks(Settings(data_dir=tmp_path, runtime="docker", docker=docker))}
    assert (found["docker"].level, found["docker"].text) == ("ok", "version fake")


@pytest.mark.parametrize(("runtime", "count"), [("external", 1), ("embedded", 2)])
def test_only_ports_that_a_start_takes_are_looked_at(tmp_path: Path, runtime: Literal["external"], count: int) -> None:
    found = [one.subject for one in run_checks(Settings(data_dir=tmp_path, runtime=runtime))]
    assert len([subject for subject in found if subject.startswith("port ")]) == count


def test_stores_without_an_address_fail(tmp_path: Path) -> None:
    found = {one.subject: one for one in run_checks(Settings(data_dir=tmp_path, runtime="external"))}
    assert found["external"].level == "fail"
    assert "DATABASE_URL" in found["external"].text


def test_a_user_without_a_name_cannot_run_postgres(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(uid: int) -> pwd.struct_passwd:
        raise KeyError(f"getpwuid(): uid not found: {uid}")

    monkeypatch.setattr(pwd, "getpwuid", nobody)
    found = {one.subject: one for one in run_checks(Settings(data_dir=tmp_path))}
    assert found["user"].level == "fail" and "/etc/passwd" in found["user"].text
    with pytest.raises(RuntimeUnavailable, match="/etc/passwd"):
        EmbeddedPostgres(DataDir(tmp_path), tmp_path, "", launch_process).require_user()


def test_children_have_a_locale_of_utf_8() -> None:
    assert inherited_environ()["LC_ALL"].endswith(".UTF-8")
