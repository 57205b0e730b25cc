"""The same spans into this appliance, Arize Phoenix and MLflow: how many per second can be queried.

`python -m tests.benchmarks.side_by_side` installs the two from PyPI into environments of their own below `--cache`,
starts each with its defaults on SQLite, sends the same requests, and counts in its database until all are there, or
until `--limit` seconds are over: then the rate is that of what came so far.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx

from appliance.storage.clickhouse.client import ClickHouse
from tests.acceptance.appliance_process import new_appliance
from tests.acceptance.exporter import HEADERS, PATH
from tests.benchmarks.report import say
from tests.benchmarks.running import clickhouse_of
from tests.benchmarks.sending import login, send_all
from tests.benchmarks.spans import Payload, payloads

START_S = 180.0
POLL_S = 0.5
OURS_TRACES = 10_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "langfuse-local-peers")
    parser.add_argument("--port", type=int, default=6106, help="and the next one")
    parser.add_argument("--traces", type=int, default=OURS_TRACES)
    parser.add_argument("--peer-traces", type=int, default=1_500, help="fewer, because they take longer")
    parser.add_argument("--limit", type=float, default=90.0, help="seconds for each peer")
    arguments = parser.parse_args()
    ours = measure_ours(_made(arguments.traces), arguments.limit)
    say("langfuse-local", f"{ours:,.0f} spans/s")
    made = _made(arguments.peer_traces)
    for name, measure, port, goal in (
        ("MLflow", measure_mlflow, arguments.port, 7),
        ("Phoenix", measure_phoenix, arguments.port + 1, 80),
    ):
        rate = measure(arguments.cache, port, made, arguments.limit)
        say(name, f"{rate:,.0f} spans/s; langfuse-local is {ours / max(rate, 0.1):,.1f} times as fast", f"{goal} times")


def measure_ours(made: list[Payload], limit_s: float) -> float:
    """Spans per second of an appliance on an empty directory."""
    with new_appliance() as appliance:
        appliance.up()

        async def count() -> int:
            clickhouse = ClickHouse(clickhouse_of(str(appliance.data_dir)))
            try:
                found: list[dict[str, int]] = await clickhouse.rows("SELECT count() AS n FROM observations", {}, dict)
                return found[0]["n"]
            finally:
                await clickhouse.close()

        return asyncio.run(_rate(appliance.url + PATH, made, HEADERS | login(appliance.keys), count, limit_s))


def measure_mlflow(cache: Path, port: int, made: list[Payload], limit_s: float) -> float:
    """Spans per second of MLflow's server, which counts as queryable what is in its table of spans."""
    program = _installed(cache, "mlflow") / "mlflow"
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder) / "mlflow.db"
        command = [str(program), "server", "--port", str(port), "--backend-store-uri", f"sqlite:///{database}"]
        environ = {"MLFLOW_MODEL_CATALOG_URI": ""}
        with _running(command, environ, folder, f"http://127.0.0.1:{port}/health"):
            headers = HEADERS | {"x-mlflow-experiment-id": "0"}
            url = f"http://127.0.0.1:{port}/v1/traces"
            return asyncio.run(_rate(url, made, headers, _counter(database), limit_s))


def measure_phoenix(cache: Path, port: int, made: list[Payload], limit_s: float) -> float:
    """Spans per second of Phoenix, which counts as queryable what is in its table of spans."""
    program = _installed(cache, "arize-phoenix") / "phoenix"
    with tempfile.TemporaryDirectory() as folder:
        environ = {"PHOENIX_WORKING_DIR": folder, "PHOENIX_PORT": str(port), "PHOENIX_GRPC_PORT": str(port + 1000)}
        with _running([str(program), "serve"], environ, folder, f"http://127.0.0.1:{port}/healthz"):
            url = f"http://127.0.0.1:{port}/v1/traces"
            return asyncio.run(_rate(url, made, HEADERS, _counter(Path(folder) / "phoenix.db"), limit_s))


async def _rate(
    url: str, made: list[Payload], headers: dict[str, str], count: Callable[[], Awaitable[int]], limit_s: float
) -> float:
    total, before = sum(payload.spans for payload in made), await count()
    start = time.monotonic()
    bodies = [payload.body for payload in made]
    sending = asyncio.create_task(send_all(url, bodies, headers, until=start + limit_s))
    while (seen := await count() - before) < total and time.monotonic() - start < limit_s:
        if sending.done():
            await sending  # raises what went wrong
        await asyncio.sleep(POLL_S)
    seconds = time.monotonic() - start
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)
    assert 0 < seen <= total, f"{seen} spans can be queried, {total} were sent"
    return seen / seconds


def _counter(database: Path) -> Callable[[], Awaitable[int]]:
    def count() -> int:
        with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=30)) as connection:
            return int(connection.execute("SELECT count(*) FROM spans").fetchone()[0])

    async def count_in_thread() -> int:
        return await asyncio.to_thread(count)

    return count_in_thread


def _made(traces: int) -> list[Payload]:
    return list(payloads(traces, first=0, convention="openinference", now_ns=time.time_ns()))


def _installed(cache: Path, package: str) -> Path:
    """The folder of the programs of a package in an environment of its own, made where there is none yet."""
    folder = cache / package
    ready = folder / "installed"
    if not ready.exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        subprocess.run([str(folder / "bin" / "pip"), "install", "--quiet", package], check=True)
        ready.touch()
    return folder / "bin"


@contextmanager
def _running(command: list[str], environ: dict[str, str], folder: str, health: str) -> Iterator[None]:
    log = Path(folder) / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            env=os.environ | environ,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        try:
            _wait_for(health, process, log)
            yield
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _wait_for(health: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_S
    while True:
        try:
            if httpx.get(health, timeout=5).status_code == 200:
                return
        except httpx.TransportError:
            pass
        alive = process.poll() is None and time.monotonic() < deadline
        assert alive, f"it did not start: {log.read_text(errors='replace')[-2000:]}"
        time.sleep(POLL_S)


if __name__ == "__main__":
    main()
