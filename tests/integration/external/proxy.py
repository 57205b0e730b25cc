"""A TCP proxy between our processes and a store that cuts, delays, throttles, garbles or says nothing, as it is told.

One with certificates ends TLS in front of a store that has none, and asks for a client certificate.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import ssl
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

Fault = Literal["", "cut", "silence", "delay", "throttle", "garble"]

_SSL_REQUEST, _GSS_REQUEST = 80877103, 80877104
_DELAY_S = 0.08
_THROTTLED_BYTES_PER_S = 200_000
_GARBLED_SHARE = 0.1
"""Of the chunks, by chance: every seventh would be the same one of each new connection, and none would ever work."""


class Proxy:
    """Forwards connections to another port, or a socket, of this machine; its `fault` may change at any time.

    Given a `far` host and port it forwards to these, and listens on that port of all addresses.
    """

    def __init__(
        self,
        target: int | str = 0,
        *,
        tls: ssl.SSLContext | None = None,
        asks_first: bool = False,
        far: tuple[str, int] | None = None,
    ) -> None:
        self._host, self.port = ("0.0.0.0", far[1]) if far else ("127.0.0.1", 0)
        self._far = far
        self.fault: Fault = ""
        self.seen: set[Fault] = set()
        """Faults that did something to data: a test that shows nothing can be told from one that does."""
        self._target, self._tls, self._asks_first = target, tls, asks_first
        self._writers: set[asyncio.StreamWriter] = set()
        self._chance = random.Random(0)

    async def serve(self) -> None:
        """Listens until it is cancelled."""
        plain_tls = None if self._asks_first else self._tls
        self._loop = asyncio.get_running_loop()
        server = await asyncio.start_server(self._take, self._host, self.port, ssl=plain_tls, limit=2**18)
        self.port = server.sockets[0].getsockname()[1]
        try:
            await server.serve_forever()
        finally:
            server.close()
            self._abort_all()

    def drop(self) -> None:
        """Breaks every connection; may be called from any thread."""
        self._loop.call_soon_threadsafe(self._abort_all)

    def _abort_all(self) -> None:
        for writer in list(self._writers):
            writer.transport.abort()

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            if self.fault == "cut":
                return
            if self._asks_first and not await self._begin_tls(reader, writer):
                return
            far_reader, far_writer = await self._reach()
            self._writers.add(far_writer)
            try:
                ways = [self._forward(reader, far_writer), self._forward(far_reader, writer)]
                running = [asyncio.create_task(way) for way in ways]
                await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                for way in running:
                    way.cancel()
                await asyncio.gather(*running, return_exceptions=True)
            finally:
                self._writers.discard(far_writer)
                far_writer.transport.abort()
        except (OSError, EOFError, ssl.SSLError):
            pass  # either side may go at any moment
        finally:
            self._writers.discard(writer)
            writer.transport.abort()

    async def _reach(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if isinstance(self._target, str):
            return await asyncio.open_unix_connection(self._target, limit=2**18)
        host, port = self._far or ("127.0.0.1", self._target)
        return await asyncio.open_connection(host, port, limit=2**18)

    async def _begin_tls(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Postgres' own beginning: the client asks whether it may encrypt. False when it does not ask."""
        while True:
            _, code = struct.unpack("!ii", await reader.readexactly(8))
            if code == _GSS_REQUEST:
                writer.write(b"N")
                continue
            if code != _SSL_REQUEST:
                return False
            writer.write(b"S")
            assert self._tls is not None
            await writer.start_tls(self._tls)
            return True

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(2**16):
            garbles = self._chance.random() < _GARBLED_SHARE
            if self.fault != "garble" or garbles:
                self.seen.add(self.fault)
            match self.fault:
                case "cut":
                    return
                case "silence":
                    while self.fault == "silence":
                        await asyncio.sleep(0.05)
                case "delay":
                    await asyncio.sleep(_DELAY_S)
                case "throttle":
                    await asyncio.sleep(len(data) / _THROTTLED_BYTES_PER_S)
                case "garble" if garbles:
                    middle = len(data) // 2
                    data = data[:middle] + bytes([data[middle] ^ 0x55]) + data[middle + 1 :]
            writer.write(data)
            await writer.drain()


@contextmanager
def serving(*proxies: Proxy) -> Iterator[None]:
    """All of them, in a thread with an event loop of its own, until the end of the block."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="proxies")
    thread.start()
    tasks = [asyncio.run_coroutine_threadsafe(proxy.serve(), loop) for proxy in proxies]
    try:
        asyncio.run_coroutine_threadsafe(_all_listen(proxies), loop).result(10)
        yield
    finally:
        for task in tasks:
            task.cancel()
        with contextlib.suppress(TimeoutError):
            asyncio.run_coroutine_threadsafe(_end(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _all_listen(proxies: tuple[Proxy, ...]) -> None:
    while not all(proxy.port for proxy in proxies):
        await asyncio.sleep(0.01)


async def _end() -> None:
    others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
