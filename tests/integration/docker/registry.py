"""A registry with one image in it, to pull from where there is no network."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import io
import json
import os
import platform
import tarfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

MANIFEST_TYPE = "application/vnd.docker.distribution.manifest.v2+json"
LAYER_BYTES = 3_000_000


@contextlib.contextmanager
def registry(repository: str) -> Iterator[str]:
    """Serves `repository:1`, two layers of random bytes, over HTTP; the image's full name."""
    blobs: dict[str, bytes] = {}
    layers = [_layer(number) for number in (1, 2)]
    compressed = [gzip.compress(layer, 1) for layer in layers]
    config = {
        "architecture": {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine()),
        "os": "linux",
        "config": {"Entrypoint": ["/nothing"]},
        "rootfs": {"type": "layers", "diff_ids": [_digest(layer) for layer in layers]},
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST_TYPE,
        "config": _described("application/vnd.docker.container.image.v1+json", json.dumps(config).encode(), blobs),
        "layers": [
            _described("application/vnd.docker.image.rootfs.diff.tar.gzip", layer, blobs) for layer in compressed
        ],
    }
    answers = {f"/v2/{repository}/blobs/{digest}": blob for digest, blob in blobs.items()}
    body = json.dumps(manifest).encode()
    for reference in ("1", _digest(body)):
        answers[f"/v2/{repository}/manifests/{reference}"] = body
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler({"/v2/": b"{}", **answers}))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}/{repository}:1"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(answers: dict[str, bytes]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(with_body=True)

        def do_HEAD(self) -> None:
            self._answer(with_body=False)

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing."""

        def _answer(self, *, with_body: bool) -> None:
            body = answers.get(self.path)
            self.send_response(404 if body is None else 200)
            body = body or b'{"errors": [{"code": "MANIFEST_UNKNOWN", "message": "manifest unknown"}]}'
            kind = MANIFEST_TYPE if "/manifests/" in self.path else "application/octet-stream"
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Docker-Content-Digest", _digest(body))
            self.end_headers()
            if with_body:
                self.wfile.write(body)

    return Handler


def _layer(number: int) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        info = tarfile.TarInfo(f"file-{number}")
        info.size = LAYER_BYTES
        archive.addfile(info, io.BytesIO(os.urandom(LAYER_BYTES)))
    return buffer.getvalue()


def _described(kind: str, blob: bytes, blobs: dict[str, bytes]) -> dict[str, object]:
    blobs[_digest(blob)] = blob
    return {"mediaType": kind, "size": len(blob), "digest": _digest(blob)}


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
