"""The first paint must not wait for what only later screens need."""

from __future__ import annotations

import subprocess
import sys

LATE = ("httpx", "httpcore", "rich.markdown", "markdown_it", "pygments.lexers", "textual.widgets._markdown", "textual.widgets._text_area", "psycopg", "clickhouse_connect", "redis", "docker", "starlette", "numpy", "appliance.config", "tomllib")  # fmt: skip  # noqa: E501

PROGRAM = """
import sys, tempfile, pathlib
import tui.opening
from tui.app import LangfuseApp
from tui.api.gateway import LocalGateway
from tui.state import StateFile

heavy = []

def connect(app):
    heavy.extend(name for name in sys.argv[1:] if name in sys.modules)
    app.exit()

LangfuseApp.connect = connect
folder = pathlib.Path(tempfile.mkdtemp())
LangfuseApp(LocalGateway(folder, may_start=False), StateFile("x", folder)).run(headless=True)
print(" ".join(heavy))
"""


def test_first_paint_imports_nothing_heavy() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *LATE], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.split() == []
