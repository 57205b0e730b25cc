"""The HTTP client against servers that say byte for byte what is to be understood."""

from __future__ import annotations

import asyncio
import gzip
import re
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress

import pytest
import trustme

from appliance.http_client import (
    MOST_CONNECTIONS,
    MOST_REDIRECTS,
    ConnectionEnded,
    HttpClient,
    NotConnected,
    NotHttp,
    ProxyRefused,
    Request,
    Response,
    ResponseTimedOut,
    TooManyRedirects,
    basic,
)
from appliance.proxies import Proxy

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
Say = Callable[[bytes], Sequence[bytes]]
"""What is written in answer to a request: the parts of it; an empty part ends the connection."""


class Server:
    """Remembers what it was asked, by connection."""

    def __init__(self, say: Say) -> None:
        self.url = ""
        self.heads: list[bytes] = []
        self.connections = 0
        self._say = say
        self._serving: set[asyncio.Task[None] | None] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._serving.add(asyncio.current_task())
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            is_over = False
            while not is_over:
                head = await reader.readuntil(b"\r\n\r\n")
                if size := re.search(rb"(?i)content-length: (\d+)", head):
                    head += await reader.readexactly(int(size[1]))
                self.heads.append(head)
                for part in self._say(head):
                    writer.write(part)
                    await writer.drain()
                    is_over = not part
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    async def over(self) -> None:
        """Until every connection is closed."""
        await asyncio.gather(*(task for task in self._serving if task))


@asynccontextmanager
async def serving(say: Say | bytes, tls: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    server = Server(say if callable(say) else lambda _: (say,))
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=tls)
    server.url = f"http{'s' if tls else ''}://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    async with listening:
        yield server
        await server.over()


@asynccontextmanager
async def client(
    proxy: Proxy | None = None, tls: ssl.SSLContext | None = None, read_s: float = 5.0
) -> AsyncIterator[HttpClient]:
    made = HttpClient(connect_s=5.0, read_s=read_s, keep_s=3.0, tls=(lambda: tls) if tls else None, proxy=proxy)
    try:
        yield made
    finally:
        await made.close()


@pytest.mark.parametrize(
    "parts",
    [
        [b"HTTP/1.1 200 OK\r\ncontent-", b"length: 4\r\n\r\nyes", b"!"],
        [b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nyes!"],
        [b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nye", b"s\r\n1\r\n!\r\n0\r\n\r\n"],
        [b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nye", b"s!", b""],
        [
            b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(gzip.compress(b"yes!")),
            gzip.compress(b"yes!"),
        ],
    ],
    ids=["in pieces", "after 100", "chunked", "until the end", "gzip"],
)
async def test_every_form_of_a_body_is_read(parts: list[bytes]) -> None:
    async with serving(lambda _: parts) as server, client() as asking:
        assert await asking.exchange(Request("GET", server.url)) == Response(200, b"yes!")


async def test_a_connection_serves_again_until_the_server_ends_it() -> None:
    answers = iter([OK, OK, OK.replace(b"OK\r\n", b"OK\r\nconnection: close\r\n"), OK])
    async with serving(lambda _: (next(answers),)) as server, client() as asking:
        for _ in range(4):
            await asking.exchange(Request("GET", server.url))
        assert server.connections == 2
        several = (asking.exchange(Request("GET", server.url)) for _ in range(3))
        answers = iter([OK] * 3)
        await asyncio.gather(*several)
        assert server.connections > 2


async def test_a_farewell_is_no_response_to_the_next_request() -> None:
    late = b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\n\r\n"
    said: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        said.append(writer)
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OK)

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with listening, client() as asking:
        url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
        for _ in range(2):
            assert (await asking.exchange(Request("GET", url))).content == b"ok"
            said[-1].write(late)
            said[-1].close()
            await said[-1].wait_closed()
        assert len(said) == 2


async def test_a_request_under_way_ends_when_the_client_is_closed() -> None:
    begun = b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n"
    async with serving(begun) as server, client() as asking:
        with pytest.raises(ConnectionEnded):
            async with asking.open(Request("GET", server.url), read_s=None) as response:
                await asyncio.gather(response.read(), asking.close())
        await server.over()


async def test_a_client_that_was_closed_keeps_no_connection() -> None:
    async with serving(OK) as server, client() as asking:
        await asking.close()
        assert (await asking.exchange(Request("GET", server.url))).content == b"ok"
        await server.over()


async def test_a_server_that_takes_no_body_is_left() -> None:
    writers: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with listening, client(read_s=0.3) as asking:
        url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
        with pytest.raises(ResponseTimedOut):
            await asking.exchange(Request("POST", url, content=bytes(32_000_000)))
        writers[0].transport.abort()


@pytest.mark.parametrize(
    ("parts", "failure"),
    [
        ([b""], ConnectionEnded),
        ([b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nshort", b""], ConnectionEnded),
        ([b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n9\r\nshort", b""], ConnectionEnded),
        ([b"220 mail.example ESMTP\r\n\r\n"], NotHttp),
        ([b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 2\r\n\r\nno"], NotHttp),
        ([b"HTTP/1.1 302 Found\r\nlocation: ftp://a.example/\r\ncontent-length: 0\r\n\r\n"], NotHttp),
        ([b"HTTP/1.1 200 OK\r\n"], ResponseTimedOut),
    ],
)
async def test_half_a_response_is_none(parts: list[bytes], failure: type[Exception]) -> None:
    async with serving(lambda _: parts) as server, client(read_s=0.3) as asking:
        with pytest.raises(failure):
            await asking.exchange(Request("GET", server.url))


async def test_a_response_is_read_as_it_comes_and_left_early() -> None:
    begun = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\none\r\n"
    async with (
        serving(begun) as server,
        client() as asking,
        asking.open(Request("GET", server.url), read_s=None) as response,
    ):
        parts = response.parts()
        assert await anext(parts) == b"one"
        await parts.aclose()


async def test_redirects_are_followed_and_others_are_not_told_the_keys() -> None:
    keys = {"authorization": basic("pk", "sk"), "content-type": "text/plain"}
    async with serving(OK) as other:

        def say(head: bytes) -> Sequence[bytes]:
            path = head.split()[1].decode()
            status, to = {"/a": (308, "/b"), "/b": (303, "c?d=\u00fc#e")}.get(path, (302, f"{other.url}?f"))
            return (b"HTTP/1.1 %d Words\r\nlocation: %s\r\ncontent-length: 0\r\n\r\n" % (status, to.encode()),)

        async with serving(say) as server, client() as asking:
            assert (await asking.exchange(Request("POST", f"{server.url}/a", keys, b"body"))).content == b"ok"
    assert [head.split(b" HTTP")[0] for head in server.heads] == [b"POST /a", b"POST /b", b"GET /c?d=%C3%BC"]
    assert [head.endswith(b"body") for head in server.heads] == [True, True, False]
    assert all(b"Basic cGs6c2s=" in head for head in server.heads)
    assert other.heads[0].startswith(b"GET /?f ") and b"authorization" not in other.heads[0]


async def test_redirects_without_end_are_given_up() -> None:
    async with serving(b"HTTP/1.1 301 x\r\nlocation: /\r\ncontent-length: 0\r\n\r\n") as server, client() as asking:
        with pytest.raises(TooManyRedirects):
            await asking.exchange(Request("GET", server.url))
        assert len(server.heads) == MOST_REDIRECTS + 1


@pytest.mark.parametrize("host", ["a.example:3000", "a.example", "[2001:db8::1]:3000"])
async def test_a_proxy_is_asked_for_the_whole_address(host: str) -> None:
    async with serving(OK) as server:
        proxy = Proxy(server.url.replace("//", "//u:p%40ss@"), "http_proxy")
        async with client(proxy) as asking:
            assert (await asking.exchange(Request("GET", f"http://{host}/x?y=1"))).content == b"ok"
    head = server.heads[0].decode()
    assert head.startswith(f"GET http://{host}/x?y=1 HTTP/1.1\r\nhost: {host}\r\n")
    assert f"Proxy-Authorization: {basic('u', 'p@ss')}" in head


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_tls_goes_through_a_proxy_unseen(scheme: str) -> None:
    authority = trustme.CA()
    inside, trusted = (ssl.SSLContext(kind) for kind in (ssl.PROTOCOL_TLS_SERVER, ssl.PROTOCOL_TLS_CLIENT))
    authority.issue_cert("a.example", "127.0.0.1").configure_cert(inside)
    authority.configure_trust(trusted)
    heads: list[bytes] = []
    async with serving(OK, tls=inside) as server:

        async def lead(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            heads.append(await reader.readuntil(b"\r\n\r\n"))
            there = await asyncio.open_connection("127.0.0.1", int(server.url.rpartition(":")[2]))
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            await asyncio.gather(_pass_on(reader, there[1]), _pass_on(there[0], writer))

        listening = await asyncio.start_server(lead, "127.0.0.1", 0, ssl=inside if scheme == "https" else None)
        address = f"{scheme}://u:p@127.0.0.1:{listening.sockets[0].getsockname()[1]}"
        async with listening, client(Proxy(address, "https_proxy"), trusted) as asking:
            for _ in range(2):
                assert (await asking.exchange(Request("GET", "https://a.example/x"))).content == b"ok"
    assert len(heads) == 1 and heads[0].startswith(b"CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n")
    assert basic("u", "p").encode() in heads[0]
    assert server.heads[0].startswith(b"GET /x HTTP/1.1\r\nhost: a.example\r\n") and b"proxy" not in server.heads[0]


async def test_tunnels_without_tls_at_their_end_leave_room_for_others() -> None:
    trusted = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    established = b"HTTP/1.1 200 Connection established\r\n\r\n"
    async with serving(lambda _: (established, b"no TLS", b"")) as server:
        async with client(Proxy(server.url, "https_proxy"), trusted) as asking, asyncio.timeout(10):
            for _ in range(MOST_CONNECTIONS + 1):
                with pytest.raises(NotConnected):
                    await asking.exchange(Request("GET", "https://a.example"))
        assert len(server.heads) == MOST_CONNECTIONS + 1


async def test_a_proxy_that_refuses_is_quoted() -> None:
    refusal = b"HTTP/1.1 403 Not from here\r\ncontent-length: 0\r\n\r\n"
    trusted = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    async with serving(refusal) as server, client(Proxy(server.url, "https_proxy"), trusted) as asking:
        with pytest.raises(ProxyRefused, match="403 Not from here"):
            await asking.exchange(Request("GET", "https://a.example"))


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()
