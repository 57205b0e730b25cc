"""A server that speaks S3's API, started as a process of its own."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator

import httpx

from appliance.config import S3Settings
from appliance.orchestrator.host.ports import choose_port

START_WITHIN_S = 30
BUCKET = "media-bucket"
_FIRST_PORT = 21900


class S3Server:
    """moto's server on a port that stays the same when it is stopped and started again."""

    def __init__(self) -> None:
        self.port = choose_port("127.0.0.1", [_FIRST_PORT], set())
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def settings(self) -> S3Settings:
        return S3Settings(
            bucket=BUCKET,
            prefix="media/",
            endpoint=self.url,
            access_key_id="key",
            secret_access_key="secret",
            force_path_style=True,
        )

    def start(self) -> None:
        """Start it and make the bucket; what was stored before a stop is gone."""
        with tempfile.TemporaryFile() as log:
            arguments = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)]
            self._process = subprocess.Popen(arguments, stdout=log, stderr=log)
        deadline = time.monotonic() + START_WITHIN_S
        while True:
            with contextlib.suppress(httpx.TransportError):
                assert httpx.put(f"{self.url}/{BUCKET}").is_success
                return
            assert self._process.poll() is None and time.monotonic() < deadline, "moto's server does not start"
            time.sleep(0.05)

    def listing(self) -> str:
        """The listing of the bucket, as XML."""
        return httpx.get(f"{self.url}/{BUCKET}").text

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@contextlib.contextmanager
def s3_server() -> Iterator[S3Server]:
    """A running server, stopped at the end."""
    server = S3Server()
    server.start()
    try:
        yield server
    finally:
        server.stop()
