"""A server that answers what a test wants, and remembers what it was asked."""

from __future__ import annotations

import json
import threading
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import click
from click.testing import CliRunner, Result


class Api:
    """Canned answers by path, a status before them where it is not 200, and the queries that came."""

    url = ""

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.headers: dict[str, str] = {}
        self.logins: list[tuple[str, str]] = []

    def answer(self, path: str, query: dict[str, str]) -> Any:
        self.asked.append((path, query))
        found = self.answers.get(path)
        return found(query) if callable(found) else found


@contextmanager
def serving() -> Iterator[Api]:
    known = Api()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            known.headers = {name.lower(): value for name, value in self.headers.items()}
            user, _, password = b64decode(self.headers["authorization"].removeprefix("Basic ")).decode().partition(":")
            known.logins.append((user, password))
            body = known.answer(parts.path, {key: values[0] for key, values in parse_qs(parts.query).items()})
            status = 200 if body is not None else 404
            if isinstance(body, tuple):
                status, body = body
            content = json.dumps(body if body is not None else {"message": "Not here"}).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def do_DELETE(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    known.url = f"http://127.0.0.1:{server.server_port}"
    yield known
    server.shutdown()
    server.server_close()


def run(api: Api, command: click.Command, *arguments: str) -> Result:
    keys = ["--url", api.url, "--public-key", "pk", "--secret-key", "sk"]
    return CliRunner().invoke(command, [*arguments, *keys], catch_exceptions=False)


def pages(count: int) -> Any:
    """A list of `count` rows, paged by number."""

    def answer(query: dict[str, str]) -> dict[str, Any]:
        page, limit = int(query["page"]), int(query["limit"])
        rows = [{"id": f"t{number}"} for number in range(count)][(page - 1) * limit : page * limit]
        return {"data": rows, "meta": {"totalItems": count, "totalPages": -(-count // limit)}}

    return answer
