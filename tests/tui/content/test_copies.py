"""What is copied to be pasted elsewhere: it runs, and runs nothing else, whatever the id holds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote

import pytest

from tui.content import copies
from tui.content.copies import Noun
from tui.model.records import Server

URL = "http://127.0.0.1:3000"
IDS = [
    "t1",
    "id/with/slash?and#hash",
    'a$(touch ran)"b',
    "a'; touch ran; '",
    "`touch ran`",
    "日本 語",
    "..",
    "50%",
    "a\nb",
]

PRETEND_CURL = """#!{python}
import json, sys
print(json.dumps(sys.argv[1:]))
"""

PRETEND_SDK = """
class Observations:
    def get_many(self, **asked):
        import json
        print(json.dumps(asked))
        return type("Found", (), {"data": []})

class Langfuse:
    def __init__(self, *, base_url):
        print(base_url)
        self.api = type("Api", (), {"observations": Observations()})
"""


@pytest.mark.parametrize("identity", IDS)
@pytest.mark.parametrize("noun", ["trace", "observation"])
def test_the_curl_line_asks_for_the_id_and_runs_nothing(tmp_path: Path, noun: Noun, identity: str) -> None:
    curl = tmp_path / "curl"
    curl.write_text(PRETEND_CURL.format(python=sys.executable))
    curl.chmod(0o755)
    environ = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "LANGFUSE_PUBLIC_KEY": "pk", "LANGFUSE_SECRET_KEY": "sk"}
    line = copies.curl(URL, noun, identity)
    done = subprocess.run(["sh", "-c", line], cwd=tmp_path, env=environ, capture_output=True, text=True, check=True)
    *options, address = json.loads(done.stdout)
    assert options == ["-s", "-u", "pk:sk"]
    start, _, last = address.rpartition("/")
    assert (start, unquote(last)) == (f"{URL}/api/public/{noun}s", identity)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("identity", IDS)
def test_the_python_program_runs(tmp_path: Path, identity: str) -> None:
    (tmp_path / "langfuse.py").write_text(PRETEND_SDK)

    def asked(noun: Noun) -> dict[str, object]:
        program = copies.python(URL, noun, identity)
        done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True)
        address, asked = done.stdout.splitlines()
        assert address == URL
        found: dict[str, object] = json.loads(asked)
        return found

    assert asked("trace")["trace_id"] == identity
    (condition,) = json.loads(str(asked("observation")["filter"]))
    assert condition == {"type": "string", "column": "id", "operator": "=", "value": identity}


def test_the_link_is_encoded() -> None:
    server = Server(URL, "pk", "sk", local=False, project_id="p 1")
    assert copies.trace_link(server, "a/b?c#d") == f"{URL}/project/p%201/traces/a%2Fb%3Fc%23d"
