"""Routing on the path as it was sent, so that names in it may hold `%2F`."""

from __future__ import annotations

from urllib.parse import quote, unquote

from starlette.convertors import Convertor, register_url_convertor
from starlette.types import ASGIApp, Receive, Scope, Send


class RestConvertor(Convertor[str]):
    """The rest of the raw path, percent-decoded once: for names whose `%2F` a proxy has decoded already."""

    regex = ".+"

    def convert(self, value: str) -> str:
        return unquote(value)

    def to_string(self, value: str) -> str:
        return quote(value, safe="")


class SegmentConvertor(Convertor[str]):
    """One segment of the raw path, percent-decoded once: `{name:segment}` in a route."""

    regex = "[^/]+"

    def convert(self, value: str) -> str:
        return unquote(value)

    def to_string(self, value: str) -> str:
        return quote(value, safe="")


register_url_convertor("segment", SegmentConvertor())
register_url_convertor("rest", RestConvertor())


class RawPath:
    """ASGI middleware that puts the still percent-encoded path where the router looks, without a `prefix`.

    Proxies that serve us below a path may take it away or leave it.
    """

    def __init__(self, app: ASGIApp, prefix: str = "") -> None:
        self._app = app
        self._prefix = prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        raw = scope.get("raw_path")
        if scope["type"] == "http" and raw:
            path = raw.partition(b"?")[0].decode("latin-1")
            if self._prefix and path.startswith(f"{self._prefix}/"):
                path = path.removeprefix(self._prefix)
            scope = {**scope, "path": path.rstrip("/") or "/"}
        await self._app(scope, receive, send)
