"""Error bodies, and routing on the raw path."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from appliance.errors import Overloaded, StoreUnavailable
from appliance.web.rawpath import RawPath
from appliance.web.responses import json_response

TRACES = "/api/public/otel/v1/traces"
JSON = {"Content-Type": "application/json"}


async def test_an_unknown_path_is_a_json_404(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/public/nothing")
    assert (answer.status_code, answer.json()["error"]) == (404, "LangfuseNotFoundError")


async def test_refusals_take_no_thread(client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    async def run_in_threadpool(*_: object) -> None:
        raise AssertionError("a thread was used")

    monkeypatch.setattr("starlette._exception_handler.run_in_threadpool", run_in_threadpool)
    assert (await client.get("/api/public/nothing")).status_code == 404
    assert (await client.get("/api/public/projects", auth=("pk", "wrong"))).status_code == 401


async def test_a_wrong_method_is_a_405(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/public/ingestion")
    assert (answer.status_code, answer.json()) == (
        405,
        {"message": "Method not allowed", "error": "MethodNotAllowedError"},
    )
    assert (await client.post("/api/public/projects")).json() == {"message": "Method not allowed"}


async def test_a_store_that_is_down_is_a_503_to_try_again(client: httpx.AsyncClient, stream: Any) -> None:
    stream.failure = StoreUnavailable("Nothing answers at 10.0.0.1:6379.", store="Redis")
    answer = await client.post(TRACES, content=b"{}", headers=JSON)
    assert answer.status_code == 503
    assert answer.json() == {"message": "Service Unavailable: Redis cannot be used right now."}
    assert int(answer.headers["Retry-After"]) > 0


async def test_a_full_backlog_is_a_503_to_try_again(client: httpx.AsyncClient, stream: Any) -> None:
    stream.failure = Overloaded("The backlog is full.", retry_after_s=7)
    answer = await client.post(TRACES, content=b"{}", headers=JSON)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "7")


async def test_what_nobody_foresaw_is_a_500_without_details(client: httpx.AsyncClient, stream: Any) -> None:
    stream.failure = RuntimeError("password=hunter2")
    answer = await client.post(TRACES, content=b"{}", headers=JSON)
    assert answer.status_code == 500
    assert answer.json() == {"message": "Internal Server Error", "error": "An unknown error occurred"}


async def test_browsers_may_ask_from_anywhere(client: httpx.AsyncClient) -> None:
    headers = {
        "Origin": "https://app.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type,x-langfuse-sdk-name",
    }
    answer = await client.options("/api/public/ingestion", headers=headers)
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "x-langfuse-sdk-name" in answer.headers["Access-Control-Allow-Headers"]


async def test_a_segment_may_hold_an_encoded_slash() -> None:
    async def show(request: Request) -> Response:
        return json_response(request.path_params)

    app = RawPath(Starlette(routes=[Route("/p/{name:segment}/v/{version:segment}", show)]))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        answer = await client.get("/p/some%2Ffolder%20%25/v/1/")
    assert answer.json() == {"name": "some/folder %", "version": "1"}
