"""Starting is cheap: what a command does not need is not loaded; proved in a subprocess that has loaded nothing."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from tests.architecture.source import ROOT

HEAVY = ("uvicorn", "starlette", "clickhouse_connect", "psycopg", "redis", "textual", "chdb", "docker", "httpx", "rich")
HTTP = ("httpcore", "h11", "anyio", "certifi")
SERVERS = ("uvicorn", "starlette", "clickhouse_connect", "psycopg", "redis", "chdb", "docker")


def loaded_by(program: str) -> set[str]:
    """Top-level names of the modules that a program has loaded when it ends."""
    ending = "import sys; print('=== modules', *{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run(
        [sys.executable, "-c", f"{program}\n{ending}"], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.rpartition("=== modules")[2].split())


@pytest.mark.parametrize(
    "arguments", [["--version"], ["--help"], ["up", "--help"], ["traces", "--help"], ["status", "--help"]]
)
def test_help_loads_no_driver_server_client_or_toolkit(arguments: list[str]) -> None:
    program = (
        "import sys\n"
        f"sys.argv = ['langfuse-local', *{arguments!r}]\n"
        "from appliance.__main__ import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass"
    )
    assert loaded_by(program).isdisjoint({*HEAVY, *HTTP})


def test_the_terminal_ui_loads_no_server_and_no_database_driver() -> None:
    assert loaded_by("import tui.app").isdisjoint(SERVERS)


def test_the_model_loads_nothing_but_msgspec() -> None:
    loaded = loaded_by("import appliance.model.traces, appliance.model.observations, appliance.model.filters")
    assert loaded.isdisjoint({*HEAVY, "pydantic", "google", "platformdirs"})


@pytest.mark.parametrize("client", ["LangfuseClient('http://127.0.0.1:1', 'pk', 'sk')", "ControlClient(Path('none'))"])
def test_asking_a_server_loads_httpcore_and_nothing_heavier(client: str) -> None:
    program = f"""
import asyncio
from pathlib import Path
from appliance.client import ControlClient, LangfuseClient
from appliance.errors import RemoteError

async def ask():
    client = {client}
    try:
        await client.request("GET", "/")
    except RemoteError:
        pass
    await client.close()

asyncio.run(ask())
"""
    loaded = loaded_by(program)
    assert "httpcore" in loaded and loaded.isdisjoint({*HEAVY, "urllib3", "aiohttp"})


def test_no_module_imports_httpx_which_only_tests_have() -> None:
    sources = [path for folder in ("appliance", "tui") for path in (ROOT / folder).rglob("*.py")]
    assert sources
    assert not [path for path in sources if re.search(r"^\s*(import|from) httpx", path.read_text(), re.MULTILINE)]
