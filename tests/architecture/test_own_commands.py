"""Our programs are started in one way, which takes nothing of the user's directory for a part of them."""

from __future__ import annotations

import ast
import os
import socket
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

import pytest

import langfuse_local
from appliance.cli.main import cli
from appliance.own_command import own_command
from tests.architecture.source import ROOT, modules

NAMES_AN_INTERPRETER = {
    "appliance/own_command.py",
    "appliance/cli/service.py",  # tells the unit which one
    "appliance/orchestrator/systemd/installation.py",  # looks whether the service's user may read it
}
# What a project may have, and what the standard library and our dependencies have under the same name.
TRAPS = ("appliance", "tui", "secrets", "queue", "signal", "xml", "multiprocessing", "pickle", "click", "chdb")
PROGRAMS = (
    "appliance",
    "tui",
    "appliance.orchestrator.runtimes.embedded.clickhouse_server",
    "appliance.storage.redis.worker_healthcheck",
)


@pytest.fixture
def traps(tmp_path: Path) -> Path:
    """A project whose modules leave a mark when they run."""
    folder = tmp_path / "project"
    folder.mkdir()
    mark = f"open({str(tmp_path / 'ran')!r}, 'a').write(__name__ + '\\n')\n"
    for name in TRAPS:
        (folder / f"{name}.py").write_text(mark)
    (folder / ".env").write_text("LANGFUSE_LOCAL_RUNTIME=none\n")
    return folder


def run_in(folder: Path, command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "PYTHONPATH": str(folder), "PYTHONSTARTUP": str(folder / "tui.py")}
    return subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, timeout=60)


def console_script(folder: Path) -> Path:
    """What installers make of the project's entry point."""
    entry = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]["langfuse-local"]
    module, _, function = entry.partition(":")
    script = folder / "langfuse-local"
    script.write_text(
        f"import sys\nfrom {module} import {function}\nif __name__ == '__main__':\n    sys.exit({function}())\n"
    )
    return script


@pytest.mark.parametrize("command", ["", *cli.list_commands(None)])  # type: ignore[arg-type]
def test_no_command_runs_what_lies_in_the_directory(command: str, traps: Path, tmp_path: Path) -> None:
    words = [command] if command else []
    done = run_in(traps, [sys.executable, str(console_script(tmp_path)), *words, "--help"])
    assert done.returncode == 0, done.stderr
    assert "Usage" in done.stdout
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("program", PROGRAMS)
def test_no_child_runs_what_lies_in_the_directory(program: str, traps: Path, tmp_path: Path) -> None:
    done = run_in(traps, own_command(program, *(["--help"] if "." not in program else [])))
    assert not (tmp_path / "ran").exists()
    assert "No module named" not in done.stderr


def test_python_would_run_it_otherwise(traps: Path, tmp_path: Path) -> None:
    run_in(traps, [sys.executable, "-m", "tui"])
    assert "__main__" in (tmp_path / "ran").read_text()


@pytest.mark.parametrize(("places", "begins_again"), [("", False), (str(ROOT), False), ("/project", True)])
def test_the_command_leaves_out_pythonpath_unless_it_is_installed_there(
    places: str, begins_again: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    became: list[list[str]] = []
    monkeypatch.setenv("PYTHONPATH", places)
    monkeypatch.setattr(os, "execv", lambda _path, words: became.append(words))
    monkeypatch.setattr("appliance.__main__.main", lambda: None)
    monkeypatch.setattr(sys, "argv", ["langfuse-local", "status"])
    langfuse_local.main()
    assert became == ([[*own_command("appliance"), "status"]] if begins_again else [])


def test_nothing_else_names_an_interpreter() -> None:
    found = {
        str(file.relative_to(ROOT))
        for file in modules("appliance", "tui")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Attribute) and node.attr == "executable"
    }
    assert found == NAMES_AN_INTERPRETER


def test_several_processes_of_web_run_nothing_of_it_either(traps: Path, tmp_path: Path) -> None:
    settings = {
        "LANGFUSE_LOCAL_DATA_DIR": str(tmp_path / "data"),
        "SALT": "salt",
        "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
        "REDIS_CONNECTION_STRING": "redis://127.0.0.1:1/0",
        "CLICKHOUSE_URL": "http://127.0.0.1:1",
    }
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    web = subprocess.Popen(
        [sys.executable, str(console_script(tmp_path)), "web", "--port", port, "--web-workers", "2"],
        cwd=traps,
        env={**os.environ, **settings},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert web.stderr is not None
    said = ""
    with web:
        for line in web.stderr:
            said += line
            if "Application startup complete" in said or "Error" in said:
                break
        web.terminate()
        web.stderr.read()
    assert "Application startup complete" in said
    assert not (tmp_path / "ran").exists()
