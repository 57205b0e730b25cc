"""A fake LLM provider on loopback: several vendors' wire formats, scripted answers, and a ledger of what was billed."""

from __future__ import annotations

import gzip
import json
import re
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.corpus_recording.answers import EMBEDDING_USAGE, Answer, Question, Usage, answer
from tests.corpus_recording.wire import anthropic, bedrock, gemini, ollama, openai_chat, openai_responses

Json = dict[str, Any]
Body = Json | Iterable[bytes]
GEMINI_PATH = re.compile(r"/models/(?P<model>[^/:]+):(?P<verb>\w+)$")
BEDROCK_PATH = re.compile(r"/model/(?P<model>[^/]+)/converse$")


@dataclass(frozen=True, slots=True)
class Call:
    """One call as the provider billed it."""

    api: str
    question: Question
    answer: Answer
    streamed: bool = False


@dataclass(slots=True)
class Ledger:
    """The calls since the last reset, in order of arrival."""

    calls: list[Call] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, call: Call) -> int:
        """Books a call and returns its number, from 1."""
        with self._lock:
            self.calls.append(call)
            return len(self.calls)

    def reset(self) -> None:
        """Forgets all calls."""
        with self._lock:
            self.calls = []


class Refused(Exception):
    """The request is refused with a vendor-like error of status 400."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    ledger: Ledger

    def do_GET(self) -> None:
        self._send_json({"object": "list", "data": [{"id": "gpt-4o-mini", "object": "model", "owned_by": "fake"}]})

    def do_POST(self) -> None:
        body = self._read_json()
        path = self.path.split("?")[0]
        try:
            result = self._route(path, body)
        except Refused as error:
            detail = {"message": str(error), "type": "invalid_request_error", "param": None, "code": "refused"}
            self._send_json({"type": "error", "error": detail}, status=400)
            return
        if isinstance(result, dict):
            self._send_json(result)
        else:
            self._send_stream(result, "application/x-ndjson" if path.startswith("/api/") else "text/event-stream")

    def _route(self, path: str, body: Json) -> Body:
        streamed = bool(body.get("stream"))
        if path.endswith("/chat/completions"):
            asked = openai_chat.question(body)
            given, number = self._book("openai.chat", asked, streamed)
            if streamed:
                return openai_chat.stream(asked, given, number, body)
            return openai_chat.response(asked, given, number)
        if path.endswith("/responses"):
            asked = openai_responses.question(body)
            given, number = self._book("openai.responses", asked, streamed)
            if streamed:
                return openai_responses.stream(asked, given, number, body)
            return openai_responses.response(asked, given, number, body)
        if path.endswith("/embeddings"):
            self._book_embedding("openai.embeddings", str(body.get("model")), body.get("input"))
            return openai_chat.embeddings(body)
        return self._route_others(path, body, streamed)

    def _route_others(self, path: str, body: Json, streamed: bool) -> Body:
        if path.endswith("/messages"):
            asked = anthropic.question(body)
            given, number = self._book("anthropic.messages", asked, streamed)
            return anthropic.stream(asked, given, number) if streamed else anthropic.response(asked, given, number)
        if path == "/api/chat":
            asked, streamed = openai_chat.question(body), body.get("stream", True)
            given, _ = self._book("ollama.chat", asked, streamed)
            return ollama.stream(asked, given) if streamed else ollama.response(asked, given)
        if found := BEDROCK_PATH.search(path):
            asked = bedrock.question(body, found["model"].replace("%3A", ":"))
            given, number = self._book("bedrock.converse", asked, False)
            return bedrock.response(given, number)
        if found := GEMINI_PATH.search(path):
            return self._gemini(found["model"], found["verb"], body)
        raise Refused(f"The fake provider does not know {path}")

    def _gemini(self, model: str, verb: str, body: Json) -> Body:
        if "mbed" in verb:
            self._book_embedding("gemini.embed", model, json.dumps(body))
            return gemini.embeddings(body)
        asked = gemini.question(body, model)
        streamed = verb == "streamGenerateContent"
        given, number = self._book("gemini.generate", asked, streamed)
        whole = gemini.response(asked, given, number)
        return [f"data: {json.dumps(whole)}\r\n\r\n".encode()] if streamed else whole

    def _book(self, api: str, asked: Question, streamed: bool) -> tuple[Answer, int]:
        given = answer(asked)
        number = self.ledger.add(Call(api, asked, given, streamed))
        if given.error:
            raise Refused(given.error)
        return given, number

    def _book_embedding(self, api: str, model: str, texts: Any) -> None:
        text = texts if isinstance(texts, str) else " ".join(str(one) for one in texts)
        asked = Question(model=model, system="", user=text)
        self.ledger.add(Call(api, asked, Answer(Usage(EMBEDDING_USAGE.input, 0))))

    def _read_json(self) -> Json:
        raw = self.rfile.read(int(self.headers.get("content-length") or 0)) or _chunks(self)
        if self.headers.get("content-encoding") == "gzip":
            raw = gzip.decompress(raw)
        try:
            body: Json = json.loads(raw or b"{}")
        except ValueError:
            return {}
        return body

    def _send_json(self, data: Json, status: int = 200) -> None:
        raw = json.dumps(data).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(raw)))
        self.send_header("x-request-id", "req_fake")
        self.end_headers()
        self.wfile.write(raw)

    def _send_stream(self, parts: Iterable[bytes], content_type: str) -> None:
        self.send_response(200)
        self.send_header("content-type", content_type)
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        for part in parts:
            self.wfile.write(f"{len(part):x}\r\n".encode() + part + b"\r\n")
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing; failures show in the program's own output."""


def _chunks(handler: BaseHTTPRequestHandler) -> bytes:
    """The body of a chunked request, or nothing."""
    if "chunked" not in (handler.headers.get("transfer-encoding") or ""):
        return b""
    parts = []
    while size := int(handler.rfile.readline().split(b";")[0], 16):
        parts.append(handler.rfile.read(size))
        handler.rfile.readline()
    handler.rfile.readline()
    return b"".join(parts)


@contextmanager
def running() -> Iterator[tuple[str, Ledger]]:
    """The provider on a free port of loopback, as its base URL (without /v1) and its ledger."""
    ledger = Ledger()
    handler = type("Handler", (_Handler,), {"ledger": ledger})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", ledger
    finally:
        server.shutdown()
        server.server_close()
