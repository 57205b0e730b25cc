"""Whatever is asked, in whatever way, the answer is no server error; the stores are real."""

from __future__ import annotations

import base64
import json
import random
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

import appliance.web.api
from appliance.web.context import Context
from appliance.web.routes import ROUTES
from tests.fuzz.hostile import TEXTS

NOT_ASKED = ("/api/local/live", "/api/public/health")
"""An endless answer, and one that says 503 because no worker runs."""
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND")
TYPES = ("application/json", "application/x-protobuf", "text/plain", "", "multipart/form-data; boundary=x")
ENCODINGS = ("", "gzip", "deflate", "br", "identity, gzip", "x" * 500)
VALUES = (
    *(text for text in TEXTS if len(text) < 500),
    *(
        "-1",
        "0",
        "1",
        "101",
        "1e3",
        "1.5",
        "9" * 30,
        "inf",
        "2024-01-01T00:00:00Z",
        "2024-01-01",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59.999999-14:00",
        "\u00b2",
        "9" * 5000,
        "true",
        "yes",
        "a,b,,c",
        "\x01",
    ),
    '[{"type":"string","column":"name","operator":"=","value":"x"}]',
    '[{"type":"datetime","column":"timestamp","operator":">","value":"0000"}]',
    '[{"type":"number","column":"latency","operator":"<","value":"NaN"}]',
    '[{"type":"stringObject","column":"metadata","key":null,"operator":"contains","value":1}]',
    '[{"type":"arrayOptions","column":"tags","operator":"any of","value":"a"}]',
    '[{"type":"null","column":"x","operator":"is null","value":""}]',
    '{"view":"traces","metrics":[{"measure":"count","aggregation":"count"}],"dimensions":[{"field":"x"}]}',
    '{"view":"observations","metrics":[],"filters":[],"fromTimestamp":"0001-01-01T00:00:00Z","toTimestamp":"9999-12-31T00:00:00Z"}',
    "[" * 3000 + "]" * 3000,
    base64.b64encode(b'{"x":' + b"[" * 3000 + b"]" * 3000 + b"}").decode(),
    base64.b64encode(b'{"lastStartTimeTo":"1.5","lastTraceId":"","lastId":"","hash":-1}').decode(),
    "eyJhIjoxfQ==",
    "eyJsYXN0U3RhcnRUaW1lVG8iOiJ4In0",
    "timestamp.desc",
    "latency.asc",
    "core,io,metrics",
    "core,nothing",
)


def parameter_names() -> list[str]:
    """Every word in quotes in the handlers: the names of all parameters are among them."""
    sources = [file.read_text() for file in Path(str(appliance.web.api.__file__)).parent.glob("*.py")]
    return sorted(set(re.findall(r'"([a-z][A-Za-z]{2,30})"', "\n".join(sources))))


NAMES = parameter_names()
USUAL_NAMES = (
    *(
        "page",
        "limit",
        "cursor",
        "filter",
        "fields",
        "orderBy",
        "query",
        "name",
        "userId",
        "sessionId",
        "traceId",
        "type",
        "level",
        "tags",
    ),
    *(
        "fromTimestamp",
        "toTimestamp",
        "fromStartTime",
        "toStartTime",
        "version",
        "label",
        "value",
        "operator",
        "dataType",
        "id",
        "tags",
    ),
    *(
        "environment",
        "datasetName",
        "runName",
        "parseIoAsJson",
        "expandMetadata",
        "scoreIds",
        "configId",
        "valueMin",
        "valueMax",
        "search",
    ),
)
JSON_VALUES: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    1.5,
    2**63,
    "",
    "x",
    "\0",
    [],
    {},
    [None],
    {"a": {"b": []}},
    "2024-01-01T00:00:00Z",
)


def random_body(choices: random.Random) -> bytes:
    """No JSON, or an object (or a list of them) of any fields."""
    if choices.random() < 0.2:
        return choices.choice(
            (b"", b"{", b"\xff\xfe", b"\x1f\x8b", b"[" * 5000, b"null", b'"x"', b"1e400", b'{"a":"\\ud800"}')
        )
    found: Any = {choices.choice(NAMES): choices.choice((*JSON_VALUES, *VALUES)) for _ in range(choices.randrange(8))}
    return json.dumps(choices.choice((found, [found], {"batch": [found, found]}))).encode()


def random_path(choices: random.Random, template: str) -> str:
    """The path of a route with anything in its places."""
    return re.sub(r"\{[^}]*\}", lambda _: quote(choices.choice(VALUES) or "x", safe="") or "x", template)


@pytest.mark.parametrize("seed", range(4))
async def test_no_request_is_a_server_error(client: httpx.AsyncClient, context: Context, seed: int) -> None:
    choices = random.Random(seed)
    templates = [route.path for route in ROUTES if route.path not in NOT_ASKED]
    client.headers["Host"] = "test"
    failed: list[str] = []
    for number in range(len(templates) * 4):
        path = random_path(choices, templates[number % len(templates)])
        method = "GET" if choices.random() < 0.5 else choices.choice(METHODS)
        names = choices.choice((NAMES, USUAL_NAMES, USUAL_NAMES))
        query = [(choices.choice(names), choices.choice(VALUES)) for _ in range(choices.randrange(6))]
        headers = {"Content-Type": choices.choice(TYPES), "Content-Encoding": choices.choice(ENCODINGS)}
        body = b"" if method in ("GET", "HEAD") else random_body(choices)
        answer = await client.request(method, f"http://test{path}", params=tuple(query), headers=headers, content=body)
        if answer.status_code >= 500:
            failed.append(f"{method} {path} {query} {headers} {body!r}: {answer.status_code} {answer.text[:300]}")
    assert failed == []


@pytest.mark.parametrize(
    "login", ["", "Basic", "Basic !", "Basic " + "A" * 9000, "Bearer ", "Bearer \x7f", "Basic AAAA:", "x y z"]
)
async def test_no_login_is_a_server_error(client: httpx.AsyncClient, login: str) -> None:
    for path in ("/v1/traces", "/api/public/traces", "/api/public/ingestion"):
        answer = await client.post(
            f"http://test{path}", headers={"Authorization": login}, auth=httpx.Auth(), content=b"{}"
        )
        assert answer.status_code in (400, 401, 403, 405), (path, login)
