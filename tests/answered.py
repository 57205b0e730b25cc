"""A stand-in for the HTTP client that a function answers for, in place of a server."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from appliance.http_client import HttpClient, Request, Response

Handler = Callable[[Request], Response]


class Answered(HttpClient):
    def __init__(self, handler: Handler) -> None:
        super().__init__(connect_s=1, read_s=1)
        self._answer = handler

    async def exchange(self, request: Request) -> Response:
        return self._answer(request)


def answer_of(status: int, body: Any) -> Response:
    """An answer in JSON."""
    return Response(status, json.dumps(body).encode())


def path(request: Request) -> str:
    return urlsplit(request.url).path


def params(request: Request) -> dict[str, str]:
    """The parameters of the query; of a repeated one the last."""
    return dict(parse_qsl(urlsplit(request.url).query))
