"""What `tail` tells, and how it ends."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncGenerator, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from appliance.cli import arrivals
from appliance.client import Page
from appliance.errors import RemoteError


class OtherServer:
    """One that lists traces by their start, and cannot tell which arrive."""

    base_url = "http://other"
    tells = False

    def __init__(self, ids: list[str]) -> None:
        self.ids = ids

    async def live(self) -> AsyncGenerator[list[str]]:
        if not self.tells:
            raise RemoteError("Not here", status=404)
        yield []

    async def traces(self, *, page: int, limit: int, **_: object) -> Page:
        rows = [{"id": identity} for identity in self.ids]
        return Page(rows[(page - 1) * limit : page * limit], {"totalPages": -(-len(rows) // limit)})


async def test_all_that_arrives_is_told_however_many_and_whenever_they_began(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrivals, "POLL_S", 0)
    server = OtherServer([f"old{number}" for number in range(150)])

    async def first_page(**how: Any) -> Page:
        page = await OtherServer.traces(server, **how)
        if how["page"] == 2:  # the list as it was is known now
            server.ids[75:75] = [f"new{number}" for number in range(300)]
            monkeypatch.setattr(server, "traces", lambda **how: OtherServer.traces(server, **how))
        return page

    monkeypatch.setattr(server, "traces", first_page)
    async for ids in arrivals.arrivals(server):  # type: ignore[arg-type]
        assert ids == [f"new{number}" for number in range(300)]
        break


@pytest.fixture
def address() -> Iterator[str]:
    """A server where a trace arrives without end."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            if "/live" not in self.path:
                self.wfile.write(json.dumps({"data": [{"id": "t", "timestamp": "2026-01-01T00:00:00Z"}]}).encode())
                return
            try:
                while not over.wait(0.01):
                    self.wfile.write(b'data: ["t"]\n\n')
            except OSError:
                pass

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    over = threading.Event()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    over.set()
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_with_one_word(address: str, number: signal.Signals) -> None:
    command = [sys.executable, "-m", "appliance", "tail", "--url", address, "--public-key", "pk", "--secret-key", "sk"]
    running = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(number, signal.SIG_DFL),  # who runs the tests may ignore it, as nohup does
    )
    assert running.stdout is not None
    assert "t" in running.stdout.readline()
    running.send_signal(number)
    _, errors = running.communicate(timeout=30)
    assert (running.returncode, errors) == (128 + number, "Stopped.\n")
