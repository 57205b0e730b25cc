"""Links that carry their own permission: where they lead, and who can make them."""

from __future__ import annotations

import pytest
from starlette.requests import Request

from appliance.config import Settings
from appliance.errors import ConfigError
from appliance.web.links import Grant, Links, origin_of

GRANT = Grant(method="GET", project_id="a/b", media_id="-_x", expires=2_000_000_000)


def request_with(scheme: str = "http", **headers: str) -> Request:
    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": "GET", "scheme": scheme, "path": "/", "query_string": b"", "headers": pairs}
    return Request(scope)


@pytest.mark.parametrize(
    ("headers", "public_url", "expected"),
    [
        ({"host": "127.0.0.1:3000"}, "", "http://127.0.0.1:3000"),
        ({"host": "[::1]:3000"}, "", "http://[::1]:3000"),
        ({"host": "web:3000", "x_forwarded_host": "a.org", "x_forwarded_proto": "https"}, "", "https://a.org"),
        ({"host": "a.org", "x_forwarded_proto": "https, http"}, "", "https://a.org"),
        ({"host": "a.org"}, "https://a.org/langfuse/", "https://a.org/langfuse"),
        ({"host": "web:3000"}, "https://a.org", "http://web:3000"),
        ({}, "https://a.org", "https://a.org"),
        ({"host": "a.org", "x_forwarded_prefix": "/langfuse"}, "", "http://a.org/langfuse"),
        ({"host": "a.org", "x_forwarded_prefix": "/a/b/, /c"}, "", "http://a.org/a/b"),
        ({"host": "a.org", "x_forwarded_prefix": "/p"}, "https://a.org", "https://a.org/p"),
        ({"host": "a.org", "x_forwarded_prefix": "//evil.org"}, "", "http://a.org"),
        ({"host": "a.org", "x_forwarded_prefix": "/x?y="}, "", "http://a.org"),
        ({"host": "a.org"}, "https://a.org/langfuse/api/auth", "https://a.org/langfuse"),
        ({"host": "a.org"}, "https://a.org/api/auth", "https://a.org"),
        ({"host": "web:3000"}, "https://a.org/langfuse/", "http://web:3000/langfuse"),
        ({"host": "web:3000", "x_forwarded_prefix": "/p"}, "https://a.org/langfuse", "http://web:3000/p"),
        ({"host": "a.org/x?<script>"}, "", "http://localhost"),
    ],
)
def test_links_lead_to_where_the_request_came_to(headers: dict[str, str], public_url: str, expected: str) -> None:
    assert origin_of(request_with(**headers), public_url) == expected


def test_odd_names_are_encoded() -> None:
    url = Links(Settings(salt="s")).url(request_with(host="h"), GRANT)
    assert url.startswith("http://h/api/media/a%2Fb/-_x?expires=2000000000&signature=")


def test_another_secret_makes_another_link() -> None:
    made = {Links(Settings(salt=salt)).url(request_with(host="h"), GRANT) for salt in ("a", "b", "a")}
    assert len(made) == 2


def test_nothing_is_signed_without_a_secret() -> None:
    with pytest.raises(ConfigError):
        Links(Settings(salt="", encryption_key="")).url(request_with(host="h"), GRANT)
