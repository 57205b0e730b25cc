"""Paths as they were sent, below a prefix or not."""

from __future__ import annotations

import httpx
import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from appliance.web.rawpath import RawPath


async def told_path(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse(scope["path"])(scope, receive, send)


@pytest.mark.parametrize(
    ("prefix", "sent", "routed"),
    [
        ("", "/api/x%2Fy", "/api/x%2Fy"),
        ("/langfuse", "/langfuse/api/x%2Fy", "/api/x%2Fy"),
        ("/langfuse", "/api/x", "/api/x"),
        ("/langfuse", "/langfuse-other/x", "/langfuse-other/x"),
        ("/a/b", "/a/b/c/", "/c"),
    ],
)
async def test_what_is_routed_on(prefix: str, sent: str, routed: str) -> None:
    transport = httpx.ASGITransport(RawPath(told_path, prefix))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        assert (await client.get(sent)).text == routed
