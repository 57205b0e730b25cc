"""An HTTP/1.1 client of asyncio's streams: what the command line and the terminal UI need, imported in a few ms.

Until the first answer httpcore takes 40 ms and httpx 100 ms more, which every command would wait for.
"""

from __future__ import annotations

import asyncio
import ssl
import zlib
from base64 import b64encode
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from time import monotonic
from typing import Final, TypeVar
from urllib.parse import SplitResult, quote, unquote, urljoin, urlsplit

import httptools
import msgspec
from msgspec.structs import replace

from appliance.proxies import Proxy

T = TypeVar("T")
MOST_CONNECTIONS: Final = 20
MOST_REDIRECTS: Final = 20
_READ_BYTES: Final = 1 << 18
_IN_TARGETS: Final = "/?%:@!$&'()*+,;=[]"
"""What may stand in the target of a request as it is, besides letters and digits (RFC 3986)."""
_PORTS: Final = {"http": 80, "https": 443}


class HttpFailure(Exception):
    """A request ended without an answer; the cause is kept."""


class ConnectTimedOut(HttpFailure):
    """No connection in time."""


class AnswerTimedOut(HttpFailure):
    """Nothing was said for too long."""


class NotConnected(HttpFailure):
    """The connection, or its TLS, was refused."""


class ProxyRefused(HttpFailure):
    """The proxy does not lead to the server."""


class ConnectionEnded(HttpFailure):
    """The other side ended the connection before its answer was whole."""


class NotHttp(HttpFailure):
    """What was answered is not HTTP."""


class TooManyRedirects(HttpFailure):
    """Each answer led to another one."""


class Request(msgspec.Struct, frozen=True):
    """What is asked."""

    method: str
    url: str
    headers: Mapping[str, str] = msgspec.field(default_factory=dict)
    """With names in lower case."""
    content: bytes | None = None


class Answer(msgspec.Struct, frozen=True):
    """A whole answer."""

    status: int
    content: bytes = b""


class _Parser:
    """Collects what httptools finds in the bytes of one answer."""

    def __init__(self) -> None:
        self._http = httptools.HttpResponseParser(self)
        self._begin()

    def _begin(self) -> None:
        self.status, self.reason = 0, b""
        self.headers: dict[str, str] = {}
        self.parts: list[bytes] = []
        self.has_head = self.is_whole = self.may_go_on = False

    def feed(self, data: bytes) -> None:
        try:
            self._http.feed_data(data)
        except httptools.HttpParserUpgrade:
            raise NotHttp("It changes the protocol.") from None
        except httptools.HttpParserError as error:
            if not self.is_whole:
                raise NotHttp(str(error)) from error
            self.may_go_on = False

    @property
    def ends_with_connection(self) -> bool:
        """Whether the end of the connection is the end of the answer."""
        return self.has_head and "content-length" not in self.headers and "transfer-encoding" not in self.headers

    def on_message_begin(self) -> None:
        if self.is_whole:
            raise NotHttp("It answers more than it was asked.")

    def on_status(self, reason: bytes) -> None:
        self.reason += reason

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        self.status, self.has_head = self._http.get_status_code(), True

    def on_body(self, body: bytes) -> None:
        self.parts.append(body)

    def on_message_complete(self) -> None:
        if self.status < 200:  # such as 100 Continue, before the answer
            self._begin()
        else:
            self.is_whole, self.may_go_on = True, self._http.should_keep_alive()


class _Connection:
    """One connection, which answers one request after the other."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self.idle_since = 0.0

    @property
    def is_open(self) -> bool:
        return not (self._reader.at_eof() or self._writer.is_closing())

    async def is_usable(self) -> bool:
        """Whether an idle connection may be asked again: one that says anything now says good-bye."""
        try:
            async with asyncio.timeout(0):
                await self._reader.read(1)
        except TimeoutError:
            return self.is_open
        except OSError:
            return False
        return False

    async def send(self, head: bytes, content: bytes | None, timeout_s: float | None) -> None:
        async with _no_longer_than(timeout_s):
            self._writer.writelines([head, content or b""])
            await self._writer.drain()

    async def read_into(self, parser: _Parser, timeout_s: float | None) -> None:
        """Hands the next bytes to the parser; raises ConnectionEnded when it ended too early."""
        async with _no_longer_than(timeout_s):
            data = await self._reader.read(_READ_BYTES)
        if data:
            parser.feed(data)
        elif parser.ends_with_connection:
            parser.is_whole = True
        else:
            raise ConnectionEnded("The server disconnected.")

    async def read_head(self, parser: _Parser, timeout_s: float | None) -> None:
        while not parser.has_head:
            await self.read_into(parser, timeout_s)

    async def start_tls(self, context: ssl.SSLContext, host: str) -> None:
        await self._writer.start_tls(context, server_hostname=host)

    def close(self) -> None:
        self._writer.transport.abort()


class Answering:
    """An answer whose body is still to be read."""

    def __init__(self, connection: _Connection, parser: _Parser, read_s: float | None) -> None:
        self._connection, self._parser, self._read_s = connection, parser, read_s
        self.status = parser.status

    async def parts(self) -> AsyncGenerator[bytes]:
        """The body as it comes, inflated."""
        parser = self._parser
        inflate = None
        if parser.headers.get("content-encoding", "").strip().lower() in ("gzip", "x-gzip"):
            inflate = zlib.decompressobj(zlib.MAX_WBITS | 16)
        while True:
            found, parser.parts = b"".join(parser.parts), []
            try:
                part = inflate.decompress(found) if inflate else found
            except zlib.error as error:
                raise NotHttp(f"Its gzip is broken: {error}") from error
            if part:
                yield part
            if parser.is_whole:
                return
            await self._connection.read_into(parser, self._read_s)

    async def read(self) -> bytes:
        """The whole body."""
        return b"".join([part async for part in self.parts()])


class HttpClient:
    """Keeps connections for a while, follows redirects, and goes through a proxy or a unix socket when told so."""

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
        """`keep_s`: how long an idle connection is used again; `tls` says what to trust, asked when it is needed."""
        self._connect_s, self._read_s, self._keep_s = connect_s, read_s, keep_s
        self._tls = tls
        self._context: ssl.SSLContext | None = None
        self._proxy, self._socket = proxy, socket
        self._idle: dict[str, list[_Connection]] = {}
        self._places = asyncio.Semaphore(MOST_CONNECTIONS)

    async def close(self) -> None:
        """Closes what is idle now, and what is still under way when it ends."""
        idle, self._idle, self._keep_s = self._idle, {}, 0.0
        for connection in (one for several in idle.values() for one in several):
            connection.close()
        await asyncio.sleep(0)  # asyncio closes the sockets in its next round

    async def exchange(self, request: Request) -> Answer:
        """The whole answer; raises HttpFailure."""
        async with self.open(request, read_s=self._read_s) as answering:
            return Answer(answering.status, await answering.read())

    @asynccontextmanager
    async def open(self, request: Request, *, read_s: float | None) -> AsyncIterator[Answering]:
        """An answer that is read as it comes; raises HttpFailure. `read_s` bounds each silence, None not at all."""
        for _ in range(MOST_REDIRECTS + 1):
            async with self._places:
                place = _origin(urlsplit(request.url))
                connection = await self._kept(place) or await self._connect(request)
                parser = _Parser()
                try:
                    await connection.send(self._head(request), request.content, read_s)
                    await connection.read_head(parser, read_s)
                    if (following := _following(request, parser)) is None:
                        yield Answering(connection, parser, read_s)
                        return
                finally:
                    self._put_back(place, connection, parser)
            request = following
        raise TooManyRedirects

    async def _kept(self, place: str) -> _Connection | None:
        several = self._idle.get(place, [])
        while several:
            connection = several.pop()
            if monotonic() - connection.idle_since < self._keep_s and await connection.is_usable():
                return connection
            connection.close()
        return None

    def _put_back(self, place: str, connection: _Connection, parser: _Parser) -> None:
        if parser.may_go_on and connection.is_open and self._keep_s:
            connection.idle_since = monotonic()
            self._idle.setdefault(place, []).append(connection)
        else:
            connection.close()

    async def _connect(self, request: Request) -> _Connection:
        target = urlsplit(request.url)
        opened = await self._in_time(self._open(urlsplit(self._proxy.url) if self._proxy else target))
        if self._proxy and target.scheme == "https":
            try:
                await self._tunnel(opened, self._proxy, target)
            except BaseException:
                opened.close()
                raise
        return opened

    async def _in_time(self, connecting: Awaitable[T]) -> T:
        try:
            async with asyncio.timeout(self._connect_s):
                return await connecting
        except TimeoutError as error:
            raise ConnectTimedOut from error
        except (OSError, UnicodeError) as error:
            raise NotConnected(str(error)) from error

    async def _open(self, place: SplitResult) -> _Connection:
        if self._socket is not None:
            return _Connection(*await asyncio.open_unix_connection(self._socket, limit=_READ_BYTES))
        host, port = place.hostname or "", place.port or _PORTS[place.scheme]
        context = self._trusted() if place.scheme == "https" else None
        return _Connection(
            *await asyncio.open_connection(host, port, ssl=context, limit=_READ_BYTES, happy_eyeballs_delay=0.25)
        )

    async def _tunnel(self, connection: _Connection, proxy: Proxy, target: SplitResult) -> None:
        """Through the proxy to the server, and TLS on top."""
        host, where = target.hostname or "", f"{_host(target)}:{target.port or _PORTS['https']}"
        lines = [f"CONNECT {where} HTTP/1.1", f"host: {where}", "accept: */*", *_login(proxy)]
        parser = _Parser()
        await connection.send(_encoded(lines), None, self._read_s)
        await connection.read_head(parser, self._read_s)
        if not 200 <= parser.status < 300:
            raise ProxyRefused(f"{parser.status} {parser.reason.decode('latin-1')}".strip())
        await self._in_time(connection.start_tls(self._trusted(), host))

    def _trusted(self) -> ssl.SSLContext:
        if self._context is None:
            assert self._tls is not None, "only a server is asked by TLS, not the supervisor"
            self._context = self._tls()
        return self._context

    def _head(self, request: Request) -> bytes:
        target = urlsplit(request.url)
        path = f"{target.path or '/'}{'?' if target.query else ''}{target.query}"
        is_plain_by_proxy = self._proxy is not None and target.scheme == "http"
        host = _host(target) if target.port is None else f"{_host(target)}:{target.port}"
        lines = [
            f"{request.method} {f'http://{host}' if is_plain_by_proxy else ''}{quote(path, _IN_TARGETS)} HTTP/1.1",
            f"host: {host}",
            "accept: */*",
            "accept-encoding: gzip",
            *(f"{name}: {value}" for name, value in request.headers.items()),
        ]
        if self._proxy is not None and is_plain_by_proxy:
            lines += _login(self._proxy)
        if request.content is not None or request.method != "GET":
            lines.append(f"content-length: {len(request.content or b'')}")
        return _encoded(lines)


@asynccontextmanager
async def _no_longer_than(timeout_s: float | None) -> AsyncIterator[None]:
    """Sending or reading: raises AnswerTimedOut, or ConnectionEnded when it cannot go on."""
    try:
        async with asyncio.timeout(timeout_s):
            yield
    except TimeoutError as error:
        raise AnswerTimedOut from error
    except OSError as error:
        raise ConnectionEnded(str(error)) from error


def _encoded(lines: list[str]) -> bytes:
    return "\r\n".join([*lines, "", ""]).encode()


def _host(place: SplitResult) -> str:
    """The name as it is written in a request: ASCII, an IPv6 address in brackets."""
    host = place.hostname or ""
    if ":" in host:
        return f"[{host}]"
    return host if host.isascii() else host.encode("idna").decode()


def _origin(place: SplitResult) -> str:
    return f"{place.scheme}://{_host(place)}:{place.port or _PORTS[place.scheme]}"


def _login(proxy: Proxy) -> Iterator[str]:
    parts = urlsplit(proxy.url)
    if parts.username is not None:
        yield f"proxy-authorization: {basic(unquote(parts.username), unquote(parts.password or ''))}"


def basic(name: str, password: str) -> str:
    """The value of an `authorization` header (RFC 7617)."""
    return f"Basic {b64encode(f'{name}:{password}'.encode()).decode()}"


def _following(request: Request, parser: _Parser) -> Request | None:
    """The request that a redirect asks for; another origin is not told the keys."""
    location = parser.headers.get("location", "")
    if parser.status not in (301, 302, 303, 307, 308) or not location:
        return None
    before = urlsplit(request.url)
    with suppress(ValueError):
        url = urljoin(request.url, quote(location, f"{_IN_TARGETS}#", encoding="latin-1"))
        after, headers = urlsplit(url), dict(request.headers)
        if after.scheme not in _PORTS or not after.hostname or not url.isprintable():
            raise ValueError(url)
        is_upgrade = after.scheme == "https" and _origin(after) == _origin(before._replace(scheme="https"))
        if _origin(after) != _origin(before) and not is_upgrade:
            headers.pop("authorization", None)
        following = replace(request, url=url, headers=headers)
        if parser.status == 303 or (parser.status in (301, 302) and request.method == "POST"):
            headers.pop("content-type", None)
            following = replace(following, method="GET", content=None)
        return following
    raise NotHttp("It sends requests on to no address.")
