"""Checks whether a server answers, in its own protocol and without a driver, so that frequent checks are cheap."""

from __future__ import annotations

import asyncio
import ssl
import struct
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from appliance.config import RedisSettings
from appliance.errors import ServiceSilent, StoreUnavailable

TIMEOUT_S = 3.0
_POSTGRES_PROTOCOL = 196608  # 3.0


async def probe_postgres(url: str) -> None:
    """Sends a start-up packet; a request for credentials means that Postgres accepts connections.

    Raises StoreUnavailable, also while the server starts, recovers or shuts down.
    """
    target = urlsplit(url)
    folder = parse_qs(target.query).get("host", [""])[0]
    path = f"{folder}/.s.PGSQL.{parse_qs(target.query).get('port', ['5432'])[0]}" if folder else ""
    user, database = unquote(target.username or "postgres"), unquote(target.path.lstrip("/") or "postgres")
    parameters = b"\0".join([b"user", user.encode(), b"database", database.encode(), b"\0"])
    packet = struct.pack("!ii", len(parameters) + 8, _POSTGRES_PROTOCOL) + parameters
    answer = await _ask(target, 5432, packet, read=4096, path=path)
    if answer[:1] == b"R":
        return
    fields = {part[:1]: part[1:].decode(errors="replace") for part in answer[5:].split(b"\0") if part}
    if answer[:1] != b"E":
        raise StoreUnavailable("The server at the Postgres address does not speak Postgres.")
    # 57P..: starting up, shutting down. 53300: too many clients. Other errors come from a server that works.
    if fields.get(b"C", "").startswith(("57P", "53")):
        raise StoreUnavailable(f"Postgres says: {fields.get(b'M', 'not ready')}.")


async def ask_redis(url: str, *command: str, database: int = 0) -> bytes:
    """Sends one command after AUTH; returns a string's content, else the reply's first line: `:1`, `$-1` (no value).

    Raises StoreUnavailable for any error reply.
    """
    target = urlsplit(url)
    lines: list[bytes] = []
    if target.password:
        login = [unquote(target.username)] if target.username else []
        lines.append(_redis_command("AUTH", *login, unquote(target.password)))
    if database:
        lines.append(_redis_command("SELECT", str(database)))
    lines.append(_redis_command(*command))
    path = unquote(target.path) if target.scheme == "unix" else ""
    reader, writer = await _connect(target, 6379, tls=target.scheme == "rediss", path=path)
    try:
        async with asyncio.timeout(TIMEOUT_S):
            writer.write(b"".join(lines))
            reply = b""
            for _ in lines:
                reply = (await reader.readline()).rstrip()
                if reply.startswith(b"-") or not reply:
                    raise StoreUnavailable(f"Redis says: {reply[1:].decode(errors='replace') or 'nothing'}.")
            if reply.startswith(b"$") and reply != b"$-1":
                return (await reader.readexactly(int(reply[1:]) + 2))[:-2]
            return reply
    except TimeoutError as error:
        raise ServiceSilent("Redis does not answer (time-out).") from error
    except (OSError, EOFError) as error:
        raise StoreUnavailable(f"Redis does not answer: {error}.") from error
    finally:
        writer.close()


async def ask_redis_of(settings: RedisSettings, *command: str) -> bytes:
    """`ask_redis` for any Redis; loads the driver only for TLS, clusters and sentinels."""
    if settings.url.startswith(("redis://", "unix://")) and not (settings.cluster_enabled or settings.sentinel_enabled):
        return await ask_redis(settings.url, *command)
    from appliance.storage.redis.client import ask_once

    return await ask_once(settings, *command)


async def probe_http(url: str, *, path: str, user: str = "", password: str = "") -> tuple[int, bytes]:
    """GETs `path`; status and body. Raises StoreUnavailable when nothing answers in HTTP."""
    answer = await ask_http(url, path=path, user=user, password=password)
    return answer.status, answer.body


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """The answer of a server, with header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


async def ask_http(url: str, *, path: str, user: str = "", password: str = "") -> HttpAnswer:
    """GETs `path`. Raises StoreUnavailable when nothing answers in HTTP."""
    target = urlsplit(url)
    login = f"Authorization: Basic {b64encode(f'{user}:{password}'.encode()).decode()}\r\n" if user else ""
    request = f"GET {path} HTTP/1.0\r\nHost: {target.netloc}\r\n{login}Connection: close\r\n\r\n".encode()
    secure = target.scheme == "https"
    answer = await _ask(target, 443 if secure else 80, request, read=-1, tls=secure)
    head, _, body = answer.partition(b"\r\n\r\n")
    status_line = head.split(None, 2)
    if len(status_line) < 2 or not status_line[0].startswith(b"HTTP/") or not status_line[1].isdigit():
        raise StoreUnavailable(f"{target.hostname}:{target.port} does not speak HTTP.")
    lines = [line.partition(":") for line in head.decode("latin-1").split("\r\n")[1:]]
    return HttpAnswer(int(status_line[1]), {name.strip().lower(): value.strip() for name, _, value in lines}, body)


def _redis_command(*arguments: str) -> bytes:
    parts = [f"${len(argument.encode())}\r\n{argument}\r\n" for argument in arguments]
    return f"*{len(arguments)}\r\n{''.join(parts)}".encode()


async def _connect(
    target: SplitResult, default_port: int, *, tls: bool, path: str = ""
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    host, port = target.hostname or "127.0.0.1", target.port or default_port
    place = path or f"{host}:{port}"
    context = ssl.create_default_context() if tls else None
    try:
        async with asyncio.timeout(TIMEOUT_S):
            if path:
                return await asyncio.open_unix_connection(path)
            return await asyncio.open_connection(host, port, ssl=context)
    except TimeoutError as error:  # the server accepts no more connections, and its backlog is full
        raise ServiceSilent(f"Nothing answers at {place} (time-out).") from error
    except OSError as error:
        raise StoreUnavailable(f"Nothing answers at {place} ({_reason(error)}).") from error


async def _ask(
    target: SplitResult, default_port: int, request: bytes, *, read: int, tls: bool = False, path: str = ""
) -> bytes:
    reader, writer = await _connect(target, default_port, tls=tls, path=path)
    place = path or f"{target.hostname}:{target.port}"
    try:
        async with asyncio.timeout(TIMEOUT_S):
            writer.write(request)
            return await reader.read(read)
    except TimeoutError as error:
        raise ServiceSilent(f"{place} does not answer (time-out).") from error
    except OSError as error:
        raise StoreUnavailable(f"{place} does not answer ({_reason(error)}).") from error
    finally:
        writer.close()


def _reason(error: Exception) -> str:
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    return str(error) if str(error) else "time-out"
