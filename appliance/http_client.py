"""An HTTP/1.1 client on httpcore, for the command line and the terminal UI.

httpcore is imported with the first request: it takes 40 ms, which `--help` and `--version` need not wait for.
"""

from __future__ import annotations

import asyncio
import ssl
import zlib
from base64 import b64encode
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import SplitResult, quote, unquote, urljoin, urlsplit

import msgspec
from msgspec.structs import replace

from appliance.proxies import Proxy

if TYPE_CHECKING:
    import httpcore

MOST_CONNECTIONS: Final = 20
MOST_REDIRECTS: Final = 20
_IN_TARGETS: Final = "/?%:@!$&'()*+,;=[]"
"""Characters that stay as they are in the target of a request, besides letters and digits (RFC 3986)."""
_PORTS: Final = {"http": 80, "https": 443}


class HttpFailure(Exception):
    """A request ended without a response; the cause is kept."""


class ConnectTimedOut(HttpFailure):
    """No connection in time."""


class ResponseTimedOut(HttpFailure):
    """The server, or the proxy, was silent for too long."""


class NotConnected(HttpFailure):
    """The connection, or its TLS, was refused."""


class ProxyRefused(HttpFailure):
    """The proxy refused to connect to the server."""


class ConnectionEnded(HttpFailure):
    """The other side ended the connection before its response was complete."""


class NotHttp(HttpFailure):
    """The response is not HTTP."""


class TooManyRedirects(HttpFailure):
    """Each response led to another address."""


class Request(msgspec.Struct, frozen=True):
    """An HTTP request."""

    method: str
    url: str
    headers: Mapping[str, str] = msgspec.field(default_factory=dict)
    """With names in lower case."""
    content: bytes | None = None


class Response(msgspec.Struct, frozen=True):
    """A complete response."""

    status: int
    content: bytes = b""


class StreamingResponse:
    """A response whose body is still to be read, within the `async with` of `HttpClient.open`."""

    def __init__(self, response: httpcore.Response) -> None:
        self._response = response
        self.status = response.status

    async def parts(self) -> AsyncGenerator[bytes]:
        """The body as it comes, decompressed."""
        encoding = _header(self._response, b"content-encoding").strip().lower()
        gzip = zlib.decompressobj(zlib.MAX_WBITS | 16) if encoding in ("gzip", "x-gzip") else None
        async for part in self._response.aiter_stream():
            try:
                plain = gzip.decompress(part) if gzip else part
            except zlib.error as error:
                raise NotHttp(f"Its gzip is broken: {error}") from error
            if plain:
                yield plain

    async def read(self) -> bytes:
        """The whole body."""
        return b"".join([part async for part in self.parts()])


class HttpClient:
    """Keeps connections for a while, follows redirects, and can use a proxy or a unix socket."""

    def __init__(
        self,
        *,
        connect_s: float,
        read_s: float,
        keep_s: float = 0.0,
        tls: Callable[[], ssl.SSLContext] | None = None,
        proxy: Proxy | None = None,
        socket: Path | None = None,
    ) -> None:
        """`keep_s`: seconds that an idle connection is kept; `tls` is called for the first TLS connection."""
        self._connect_s, self._read_s, self._keep_s = connect_s, read_s, keep_s
        self._tls = tls
        self._proxy, self._socket = proxy, socket
        self._pools: dict[str, httpcore.AsyncConnectionPool] = {}
        """By scheme: only the pool of https loads trusted certificates."""
        self._places = asyncio.Semaphore(MOST_CONNECTIONS)

    async def close(self) -> None:
        """Closes all connections, also those of requests under way."""
        pools, self._pools, self._keep_s = self._pools, {}, 0.0
        for pool in pools.values():
            await pool.aclose()

    async def exchange(self, request: Request) -> Response:
        """The complete response; raises HttpFailure."""
        async with self.open(request, read_s=self._read_s) as response:
            return Response(response.status, await response.read())

    @asynccontextmanager
    async def open(self, request: Request, *, read_s: float | None) -> AsyncIterator[StreamingResponse]:
        """A response that is read as it comes; raises HttpFailure. `read_s` is the time-out of each part."""
        for _ in range(MOST_REDIRECTS + 1):
            with _named_failures():
                async with self._places, self._stream(request, read_s) as response:
                    if (following := _following(request, response)) is None:
                        yield StreamingResponse(response)
                        return
            request = following
        raise TooManyRedirects

    def _stream(self, request: Request, read_s: float | None) -> AbstractAsyncContextManager[httpcore.Response]:
        import httpcore

        target = urlsplit(request.url)
        host = _host(target)
        path = quote(f"{target.path or '/'}{'?' if target.query else ''}{target.query}", _IN_TARGETS)
        headers = {"host": host if target.port is None else f"{host}:{target.port}"}
        headers |= {"accept": "*/*", "accept-encoding": "gzip", **request.headers}
        if self._proxy is None:  # httpcore connects to a bare IPv6 address, and tells a proxy the host as it stands
            host = host.strip("[]")
        return self._pool(target.scheme).stream(
            request.method,
            httpcore.URL(scheme=target.scheme, host=host, port=target.port, target=path),
            headers=[(name.encode(), value.encode()) for name, value in headers.items()],
            content=request.content or (None if request.method == "GET" else b""),
            extensions={"timeout": {"connect": self._connect_s, "read": read_s, "write": read_s}},
        )

    def _pool(self, scheme: str) -> httpcore.AsyncConnectionPool:
        import httpcore

        if scheme not in self._pools:
            self._pools[scheme] = httpcore.AsyncConnectionPool(
                ssl_context=self._trusted(scheme),
                proxy=self._httpcore_proxy(self._proxy) if self._proxy is not None else None,
                max_connections=None,  # bounded by _places: a pool never frees the place of a tunnel whose TLS failed
                max_keepalive_connections=None if self._keep_s else 0,
                keepalive_expiry=self._keep_s,
                uds=str(self._socket) if self._socket is not None else None,
            )
        return self._pools[scheme]

    def _httpcore_proxy(self, proxy: Proxy) -> httpcore.Proxy:
        import httpcore

        parts = urlsplit(proxy.url)
        url = httpcore.URL(scheme=parts.scheme, host=_host(parts).strip("[]"), port=parts.port)
        login = None
        if parts.username is not None:
            login = (unquote(parts.username).encode(), unquote(parts.password or "").encode())
        return httpcore.Proxy(url, login, ssl_context=self._trusted(parts.scheme))

    def _trusted(self, scheme: str) -> ssl.SSLContext | None:
        if scheme != "https":
            return None
        assert self._tls is not None, "the supervisor is never reached by TLS"
        return self._tls()


@contextmanager
def _named_failures() -> Iterator[None]:
    """Raises HttpFailure for the errors of httpcore."""
    import httpcore

    try:
        yield
    except httpcore.ConnectTimeout as error:
        raise ConnectTimedOut from error
    except httpcore.TimeoutException as error:
        raise ResponseTimedOut from error
    except httpcore.ConnectError as error:
        raise NotConnected(str(error)) from error
    except httpcore.ProxyError as error:
        raise ProxyRefused(str(error).strip()) from error
    except httpcore.NetworkError as error:
        raise ConnectionEnded(str(error)) from error
    except httpcore.ProtocolError as error:
        # httpcore raises the same class for a closed connection and for bytes that are not HTTP: only the text differs.
        is_end = "disconnected" in str(error) or "peer closed connection" in str(error)
        raise (ConnectionEnded if is_end else NotHttp)(str(error)) from error


def _host(place: SplitResult) -> str:
    """The host as a request has it: in ASCII, an IPv6 address in brackets; raises ValueError."""
    host = place.hostname or ""
    return f"[{host}]" if ":" in host else host.encode("idna").decode()


def _origin(place: SplitResult) -> str:
    return f"{place.scheme}://{_host(place)}:{place.port or _PORTS[place.scheme]}"


def _header(response: httpcore.Response, name: bytes) -> str:
    return next((value.decode("latin-1") for key, value in response.headers if key.lower() == name), "")


def basic(name: str, password: str) -> str:
    """The value of an `authorization` header (RFC 7617)."""
    return f"Basic {b64encode(f'{name}:{password}'.encode()).decode()}"


def _following(request: Request, response: httpcore.Response) -> Request | None:
    """The request that a redirect leads to; None for any other response. The keys are not sent to another origin."""
    location = _header(response, b"location")
    if response.status not in (301, 302, 303, 307, 308) or not location:
        return None
    before = urlsplit(request.url)
    with suppress(ValueError):
        url = urljoin(request.url, quote(location, f"{_IN_TARGETS}#", encoding="latin-1"))
        after, headers = urlsplit(url), dict(request.headers)
        if after.scheme not in _PORTS or not after.hostname or not url.isprintable():
            raise ValueError(url)
        # The same server by TLS may have the keys; any other address may be anybody's.
        is_upgrade = after.scheme == "https" and _origin(after) == _origin(before._replace(scheme="https"))
        if _origin(after) != _origin(before) and not is_upgrade:
            headers.pop("authorization", None)
        following = replace(request, url=url, headers=headers)
        # As browsers do: a redirected POST becomes a GET, except for 307 and 308.
        if response.status == 303 or (response.status in (301, 302) and request.method == "POST"):
            headers.pop("content-type", None)
            following = replace(following, method="GET", content=None)
        return following
    raise NotHttp("It redirects to an address that is not valid.")
