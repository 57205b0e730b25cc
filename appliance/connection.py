"""A client's connection to a server: validates the address, loads certificates, explains failures."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import ssl
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from appliance.errors import ConfigError, RemoteError
from appliance.http_client import (
    ConnectionEnded,
    ConnectTimedOut,
    HttpFailure,
    NotConnected,
    ProxyRefused,
    ResponseTimedOut,
    TooManyRedirects,
)
from appliance.model.printable import on_one_line
from appliance.proxies import Proxy

TIMEOUT_S = 30.0
CONNECT_TIMEOUT_S = 5.0
_EXAMPLE = "Such as https://langfuse.example.com or http://localhost:3000."
_TRUST = "If it is to be trusted, name its file, or its authority's: --ca FILE, or the variable SSL_CERT_FILE."
_CLOCK = "Renew it, or check the clock of this machine."
_EXPLAINED_CODES = {
    9: ("is not valid yet", _CLOCK),
    10: ("has expired", _CLOCK),
    62: ("is for another name", "Use the name that it was made for."),
    64: ("is for another address", "Use the name that it was made for."),
}
"""OpenSSL's verification errors that trusting the certificate would not fix (openssl-verification-options)."""


def checked_address(url: str) -> str:
    """The normalized address of a server; raises ConfigError for an invalid one."""
    text = url.strip()
    try:
        parts = urlsplit(text)
        port, host = parts.port, parts.hostname or ""
    except ValueError as error:
        raise ConfigError(f"{_quoted(text)} is no address: {error}.", hint=_EXAMPLE) from error
    if "://" not in text:
        raise ConfigError(
            f"{_quoted(text)} lacks http:// or https:// at its beginning.",
            hint=f"Write http://{text} or https://{text}." if text.isprintable() and text else _EXAMPLE,
        )
    if parts.scheme not in ("http", "https"):
        raise ConfigError(f"{_quoted(text)} does not begin with http:// or https://.", hint=_EXAMPLE)
    try:
        is_host = bool(host) and text.isprintable() and " " not in text and bool(host.encode("idna"))
    except UnicodeError:
        is_host = False
    if not is_host or port == 0:
        raise ConfigError(f"{_quoted(text)} names no host.", hint=_EXAMPLE)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl().rstrip("/")


def tls_context(ca_file: Path | None, environ: Mapping[str, str] | None = None) -> ssl.SSLContext:
    """A context that trusts SSL_CERT_FILE and SSL_CERT_DIR, else certifi's authorities, and `ca_file`.

    Raises ConfigError when one of them cannot be read.
    """
    variables = os.environ if environ is None else environ
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    file, folders = variables.get("SSL_CERT_FILE", ""), variables.get("SSL_CERT_DIR", "")
    if file:
        _trust(context, file, "SSL_CERT_FILE")
    if folders:
        if not any(Path(folder).is_dir() for folder in folders.split(os.pathsep)):
            raise ConfigError(f"SSL_CERT_DIR names {folders}, which is no directory.", hint="Fix or unset it.")
        context.load_verify_locations(capath=folders)
    if not file and not folders:
        import certifi

        context.load_verify_locations(certifi.where())
    if ca_file is not None:
        _trust(context, str(ca_file), "--ca")
    return context


def _trust(context: ssl.SSLContext, file: str, source: str) -> None:
    try:
        context.load_verify_locations(file)
    except ssl.SSLError as error:
        raise ConfigError(f"{source} names {file}, which holds no certificate.", hint="PEM is expected.") from error
    except OSError as error:
        raise ConfigError(f"{source} names {file}, which cannot be read: {error.strerror}.") from error


async def explain(error: HttpFailure, url: str, proxy: Proxy | None) -> RemoteError:
    """The error that explains why a request to `url` failed."""
    if isinstance(error, ConnectTimedOut):
        if url.startswith("https:") and proxy is None and await _speaks_http(url):
            return _tls_unexpected(url)
        return RemoteError(
            f"{proxy or url} took no connection within {CONNECT_TIMEOUT_S:.0f} s.",
            hint="Check the address, and the network between.",
        )
    if isinstance(error, ResponseTimedOut):
        return RemoteError(f"{url} did not answer within {TIMEOUT_S:.0f} s.", hint="Try again, or narrow the request.")
    causes = list(_causes(error))
    for cause in causes:
        if isinstance(cause, ssl.SSLError):
            return _explain_tls(cause, url)
    if isinstance(error, ProxyRefused):
        return RemoteError(f"{proxy} refused: {on_one_line(str(error))}.", hint=_fix(url, proxy))
    if isinstance(error, NotConnected):
        return _explain_no_answer(causes, url, proxy)
    if isinstance(error, TooManyRedirects):
        return RemoteError(f"{url} sends requests on without end.", hint="Check the address.")
    if url.startswith("http:") and proxy is None and await speaks_tls(url):
        return tls_expected(url)
    if isinstance(error, ConnectionEnded):
        hint = "Is it still up?" if url.startswith("http:") else "Is it still up, and does it speak TLS?"
        return RemoteError(f"{url} ended the connection before its answer was complete.", hint=hint)
    return RemoteError(f"{url} does not speak HTTP ({on_one_line(str(error))}).", hint="Is this a Langfuse server?")


def tls_expected(url: str) -> RemoteError:
    """The error for an http:// address of a server that expects TLS."""
    return RemoteError(f"{url} speaks TLS.", hint=f"Write https://{url.removeprefix('http://')}.")


def is_of_tls(status: int, content: bytes) -> bool:
    """Whether an answer looks like that of a TLS server to a plain request (nginx, Apache, Go)."""
    return status in (400, 426, 497) and b"https" in content.lower()


def of_proxy(proxy: Proxy, status: int, url: str) -> RemoteError:
    """The error for a proxy's answer that does not come from a Langfuse server."""
    if status == 407:
        return RemoteError(f"{proxy} asks for a login.", status=status, hint="Such as http://user:password@host:port.")
    return RemoteError(f"{proxy} answered for {url} with status {status}.", status=status, hint=_fix(url, proxy))


async def speaks_tls(url: str) -> bool:
    """Whether a TLS handshake succeeds there, with any certificate."""
    target = urlsplit(url)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            _, writer = await asyncio.open_connection(target.hostname, target.port or 80, ssl=context)
    except (OSError, TimeoutError):
        return False
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return True


async def _speaks_http(url: str) -> bool:
    """Whether a server answers in plain HTTP; it may not answer a TLS handshake at all."""
    target = urlsplit(url)
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            reader, writer = await asyncio.open_connection(target.hostname, target.port or 443)
            writer.write(b"HEAD / HTTP/1.0\r\n\r\n")
            is_http = await reader.read(5) == b"HTTP/"
    except (OSError, TimeoutError):
        return False
    writer.close()
    return is_http


def _tls_unexpected(url: str) -> RemoteError:
    return RemoteError(f"{url} does not speak TLS.", hint=f"Write http://{url.removeprefix('https://')}.")


def _explain_tls(error: ssl.SSLError, url: str) -> RemoteError:
    reason = on_one_line(error.reason or "unknown").replace("_", " ").lower()
    if isinstance(error, ssl.SSLCertVerificationError):
        problem, hint = _EXPLAINED_CODES.get(error.verify_code, ("is not trusted", _TRUST))
        return RemoteError(f"The certificate of {url} {problem} ({on_one_line(error.verify_message)}).", hint=hint)
    if reason in ("wrong version number", "record layer failure", "unexpected eof while reading", "http request"):
        return _tls_unexpected(url)
    return RemoteError(f"{url} refused TLS ({reason}).", hint="Check the address, and what certificates it asks for.")


def _explain_no_answer(causes: list[BaseException], url: str, proxy: Proxy | None) -> RemoteError:
    target = proxy.url if proxy is not None else url
    for cause in causes:
        if isinstance(cause, socket.gaierror):
            name = urlsplit(target).hostname
            if cause.errno == socket.EAI_NONAME:
                problem = f"There is no host named {name}"
            else:
                problem = f"The host {name} is not found ({(cause.strerror or 'unknown').lower()})"
            return RemoteError(f"{problem}.", hint=_fix(url, proxy) if proxy else "Check the address.")
    is_refused = any(isinstance(cause, ConnectionRefusedError) for cause in causes)
    reasons = [cause.strerror for cause in causes if isinstance(cause, OSError) and cause.strerror]
    if proxy is not None:
        return RemoteError(f"{proxy} does not answer.", hint=_fix(url, proxy))
    if not is_refused and reasons:
        return RemoteError(
            f"{url} cannot be reached: {reasons[-1].lower()}.", hint="Check the address and the network."
        )
    return RemoteError(f"No Langfuse server answers at {url}.", hint="Check the address, or start one.")


def _fix(url: str, proxy: Proxy | None) -> str:
    source = proxy.source if proxy is not None else "the proxy"
    return f"Fix {source}, or add {urlsplit(url).hostname} to no_proxy."


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error, its causes and its contexts."""
    pending: list[BaseException | None] = [error]
    seen: set[int] = set()
    while pending:
        current = pending.pop()
        if current is None or id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        pending += [current.__context__, current.__cause__]
        if isinstance(current, BaseExceptionGroup):
            pending += current.exceptions


def _quoted(text: str) -> str:
    """An address for a message: without a login, on one line."""
    scheme, mark, rest = text.rpartition("://")
    return f"{scheme}{mark}{on_one_line(rest.rpartition('@')[2])}" if rest else "An empty text"
