"""A sink on loopback that answers like the ingestion endpoints of Langfuse and keeps every body byte for byte."""

from __future__ import annotations

import gzip
import json
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

SECRET_HEADERS = {"authorization", "x-api-key", "cookie", "x-langfuse-secret-key"}
KNOWN_PATHS = (
    ("/v1/traces", "otlp"),
    ("/v1/logs", "logs"),
    ("/v1/metrics", "metrics"),
    ("/api/public/ingestion", "ingestion"),
    ("/api/public/scores", "scores"),
    ("/api/public/media", "media"),
    ("/api/public/v2/prompts", "prompts"),
)


@dataclass(frozen=True, slots=True)
class Recorded:
    """One request as it arrived; the values of secret headers are left out."""

    method: str
    path: str
    query: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    @property
    def endpoint(self) -> str:
        return next((name for end, name in KNOWN_PATHS if self.path.endswith(end)), "other")

    @property
    def encoding(self) -> str:
        return next((value.lower() for name, value in self.headers if name.lower() == "content-encoding"), "")

    @property
    def plain_body(self) -> bytes:
        """The body with its compression taken off."""
        if self.encoding == "gzip":
            return gzip.decompress(self.body)
        return zlib.decompress(self.body) if self.encoding == "deflate" else self.body


@dataclass(slots=True)
class Tape:
    """What the sink has received since the last reset, in order of arrival."""

    requests: list[Recorded] = field(default_factory=list)

    def reset(self) -> None:
        """Forgets everything."""
        self.requests = []

    def write(self, folder: Path) -> None:
        """Stores the requests as NN-<endpoint>.bin and .headers.json in a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.glob("[0-9][0-9]-*"):
            old.unlink()
        for number, request in enumerate(self.requests, 1):
            stem = f"{number:02d}-{request.endpoint}"
            (folder / f"{stem}.bin").write_bytes(request.body)
            head = {
                "method": request.method,
                "path": request.path,
                "query": request.query,
                "endpoint": request.endpoint,
                "headers": request.headers,
                "bytes": len(request.body),
                "decompressed_bytes": len(request.plain_body),
            }
            (folder / f"{stem}.headers.json").write_text(json.dumps(head, indent=1) + "\n")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    tape: Tape

    def do_GET(self) -> None:
        path = self.path.split("?")[0]
        if path == "/api/public/projects":
            project = {"id": "recording", "name": "recording", "metadata": {}}
            self._send(200, {"data": [{**project, "organization": {"id": "org", "name": "org"}}]})
        elif path == "/api/public/health":
            self._send(200, {"status": "OK", "version": "3.225.4"})
        else:
            self._send(404, {"message": "Not found", "error": "LangfuseNotFoundError"})

    def do_POST(self) -> None:
        path, _, query = self.path.partition("?")
        shown = tuple((k, "<redacted>" if k.lower() in SECRET_HEADERS else v) for k, v in self.headers.items())
        request = Recorded(self.command, path, query, shown, self._body())
        self.tape.requests.append(request)
        self._send(*_reply(request))

    def do_PATCH(self) -> None:
        self.do_POST()

    def do_PUT(self) -> None:
        self.do_POST()

    def _body(self) -> bytes:
        if "chunked" not in (self.headers.get("transfer-encoding") or ""):
            return self.rfile.read(int(self.headers.get("content-length") or 0))
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _send(self, status: int, data: dict[str, Any]) -> None:
        raw = json.dumps(data).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing; what arrives is on the tape."""


def _reply(request: Recorded) -> tuple[int, dict[str, Any]]:
    if request.endpoint == "ingestion":
        events = json.loads(request.plain_body).get("batch", [])
        return 207, {"successes": [{"id": one["id"], "status": 201} for one in events], "errors": []}
    if request.endpoint == "media":
        return 200, {"mediaId": "already-there", "uploadUrl": None}
    if request.endpoint == "scores":
        return 200, {"id": "score"}
    return 200, {}


@contextmanager
def running() -> Iterator[tuple[str, Tape]]:
    """The sink on a free port of loopback, as its base URL and its tape."""
    tape = Tape()
    handler = type("Handler", (_Handler,), {"tape": tape})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", tape
    finally:
        server.shutdown()
        server.server_close()
