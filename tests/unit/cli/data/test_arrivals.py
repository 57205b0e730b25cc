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

from appliance.api_types.pages import ApiPage, PageMeta
from appliance.api_types.traces import ApiTraceItem
from appliance.cli.data import arrivals
from appliance.errors import RemoteError
from appliance.live_events import Arrival, read_arrivals


class OtherServer:
    """One that lists traces by their start, and cannot tell which arrive."""

    base_url = "http://other"

    def __init__(self, ids: list[str]) -> None:
        self.ids = ids

    async def live(self, after: str = "") -> AsyncGenerator[Arrival]:
        if after == "":
            raise RemoteError("Not here", status=404)
        yield Arrival([])

    async def traces(self, *, page: int, limit: int, **_: object) -> ApiPage[ApiTraceItem]:
        rows = [ApiTraceItem(id=identity, updated_at="9999") for identity in self.ids]
        return ApiPage(rows[(page - 1) * limit : page * limit], PageMeta(total_pages=-(-len(rows) // limit)))


async def test_all_that_arrives_is_told_however_many_and_whenever_they_began(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrivals, "POLL_S", 0)
    server = OtherServer([f"old{number}" for number in range(150)])

    async def first_page(**how: Any) -> ApiPage[ApiTraceItem]:
        page = await OtherServer.traces(server, **how)
        if how["page"] == 2:  # the list as it was is known now
            server.ids[75:75] = [f"new{number}" for number in range(300)]
            monkeypatch.setattr(server, "traces", lambda **how: OtherServer.traces(server, **how))
        return page

    monkeypatch.setattr(server, "traces", first_page)
    async for ids in arrivals.arrivals(server, arrivals.Connection(print)):  # type: ignore[arg-type]
        assert ids == [f"new{number}" for number in range(300)]
        break


class Restarted(OtherServer):
    """Tells what arrives, and breaks off after every message; what it told is at the place that its position names."""

    def __init__(self, messages: list[Arrival | RemoteError]) -> None:
        super().__init__([])
        self.messages = messages
        self.asked: list[str] = []

    async def live(self, after: str = "") -> AsyncGenerator[Arrival]:
        self.asked.append(after)
        message = self.messages.pop(0)
        if isinstance(message, RemoteError):
            raise message
        yield message


async def told(server: OtherServer, said: list[str]) -> list[str]:
    """All that is told until the server refuses."""
    found: list[str] = []
    with pytest.raises(RemoteError, match="refused"):
        async for ids in arrivals.arrivals(server, arrivals.Connection(said.append)):  # type: ignore[arg-type]
            found += ids
    return found


@pytest.fixture
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrivals, "_LONGEST_WAIT_S", 0)


@pytest.mark.usefixtures("no_waiting")
async def test_a_server_that_comes_back_is_asked_for_what_it_told_meanwhile() -> None:
    away = [RemoteError("No server answers."), RemoteError("Bad gateway", status=502)]
    server = Restarted(
        [Arrival(["a"], "1-0"), *away, Arrival([]), Arrival(["b"], "2-0"), RemoteError("refused", status=401)]
    )
    said: list[str] = []
    assert await told(server, said) == ["a", "b"]
    assert server.asked == ["", "1-0", "1-0", "1-0", "1-0", "2-0"]
    assert len(said) == 5 and said[1::2] == ["Connected again."] * 2


@pytest.mark.usefixtures("no_waiting")
@pytest.mark.parametrize("position", ["", "1-0"], ids=["told none", "forgot it"])
async def test_what_a_server_no_longer_knows_to_have_told_is_looked_for_in_its_list(position: str) -> None:
    back = Arrival(["c"], position, is_gap=bool(position))
    server = Restarted([Arrival(["a"], position), back, RemoteError("refused", status=403)])
    server.ids = ["a", "b"]
    assert await told(server, []) == ["a", "a", "b", "c"]


async def test_a_server_that_never_answered_is_not_waited_for() -> None:
    server = Restarted([RemoteError("refused")])
    said: list[str] = []
    assert await told(server, said) == []
    assert (server.asked, said) == ([""], [])


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


async def test_events_are_read_as_the_server_writes_them() -> None:
    async def lines() -> AsyncGenerator[str]:
        text = 'id: 1-0\ndata: []\n\n: alive\n\nevent: gap\nid: 5-0\ndata: []\n\ndata: ["old"]\n\nid: 6-0\ndata: ["cut'
        for line in text.split("\n"):
            yield line

    found = [arrival async for arrival in read_arrivals(lines())]
    assert found == [Arrival([], "1-0"), Arrival([]), Arrival([], "5-0", is_gap=True), Arrival(["old"])]
