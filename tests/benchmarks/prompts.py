"""Measure how long a prompt takes to be read by name, beside a bare Starlette route that answers as many bytes."""

from __future__ import annotations

import socket
import subprocess
import sys
import time

import httpx

from tests.acceptance.appliance_process import eventually, new_appliance
from tests.benchmarks.report import percentile, say
from tests.benchmarks.yardstick import times

READS = 300
TEXT = "You are a helpful assistant. " * 20
_BARE = """
import sys
import uvicorn
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

async def answer(_request):
    return Response(b"x" * int(sys.argv[2]), media_type="application/json")

app = Starlette(routes=[Route("/", answer)])
uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), loop="uvloop", access_log=False, log_config=None)
"""


def main(argv: list[str] | None = None) -> None:
    with new_appliance() as appliance:
        appliance.up()
        with appliance.http() as http:
            made = http.post("/api/public/v2/prompts", json={"name": "p", "prompt": TEXT, "labels": ["production"]})
            assert made.status_code == 201, made.text
            took = _measured(http, "/api/public/v2/prompts/p", lambda answer: answer.json()["prompt"] == TEXT)
            size = len(http.get("/api/public/v2/prompts/p").content)
    least = _bare(size)
    for share in (0.5, 0.95):
        mine, bare = percentile(took, share), percentile(least, share)
        say(f"prompt by name, p{share * 100:.0f}", f"{mine:.1f} ms; bare route {bare:.1f} ms, {times(mine, bare)}")


def _bare(size: int) -> list[float]:
    port = _free_port()
    process = subprocess.Popen([sys.executable, "-c", _BARE, str(port), str(size)])
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}") as http:
            eventually(lambda: _answers(http), within_s=20)
            return _measured(http, "/", lambda answer: len(answer.content) == size)
    finally:
        process.terminate()
        process.wait()


def _answers(http: httpx.Client) -> bool:
    try:
        return http.get("/").status_code == 200
    except httpx.TransportError:
        return False


def _measured(http: httpx.Client, path: str, is_right: object) -> list[float]:
    """Milliseconds of each read."""
    assert callable(is_right)
    took = []
    for _ in range(READS):
        start = time.perf_counter()
        answer = http.get(path)
        took.append((time.perf_counter() - start) * 1000)
        assert answer.status_code == 200 and is_right(answer), f"{answer.status_code} {answer.text[:300]}"
    return took


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


if __name__ == "__main__":
    main()
