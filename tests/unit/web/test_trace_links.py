"""The address that SDKs print for a trace says how to open it."""

from __future__ import annotations

from urllib.parse import quote

import httpx
import pytest
from starlette.applications import Starlette

from appliance.web.api import trace_links
from appliance.web.rawpath import RawPath


@pytest.mark.parametrize(
    ("trace_id", "word"),
    [
        ("t1", "t1"),
        ("id/with/slash?and#hash", "'id/with/slash?and#hash'"),
        ("a; rm x", "'a; rm x'"),
        ("\x1b[1m<b>", "'·[1m<b>'"),
    ],
)
async def test_a_link_to_a_trace_names_the_command(trace_id: str, word: str) -> None:
    transport = httpx.ASGITransport(RawPath(Starlette(routes=trace_links.ROUTES), ""))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        answer = await client.get(f"/project/p1/traces/{quote(trace_id, safe='')}")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.text.endswith(f"\n  langfuse-local trace {word}\n")
