"""What is said when a server cannot be reached, each cause in its own words."""

from __future__ import annotations

import asyncio
import datetime
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trustme

from appliance import client
from appliance.api_types.traces import ApiTraceItem
from appliance.client import ControlClient, LangfuseClient, segment
from appliance.connection import checked_address
from appliance.errors import ConfigError, RemoteError

PAGE = b'{"data": [{"id": "t"}]}'
NGINX = b"<html><head><title>400 The plain HTTP request was sent to HTTPS port</title></head></html>"


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)


@asynccontextmanager
async def server(
    status: int = 200,
    content: bytes = PAGE,
    *,
    tls: ssl.SSLContext | None = None,
    socket: Path | None = None,
    is_patient: bool = False,
    is_cut: bool = False,
) -> AsyncIterator[int]:
    """Answers every request the same; gives its port. Status 0 ends the connection without a word.

    One that is patient waits for the end of a request, even of one that began in TLS. What is cut lacks its end.
    """

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            begin = await reader.read(1)
            if not is_patient and begin == b"\x16":
                writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            elif begin and await reader.readuntil(b"\r\n\r\n") and status:
                size = len(content) + is_cut
                head = f"HTTP/1.1 {status} Words\r\ncontent-length: {size}\r\nconnection: close\r\n\r\n"
                writer.write(head.encode() + content)
        except asyncio.IncompleteReadError:
            pass
        writer.close()

    if socket is not None:
        listening = await asyncio.start_unix_server(answer, str(socket))
    else:
        listening = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=tls)
    async with listening:
        yield 0 if socket else listening.sockets[0].getsockname()[1]


def certified(authority: trustme.CA, name: str = "127.0.0.1", **how: Any) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(name, **how).configure_cert(context)
    return context


async def said(url: str, ca_file: Path | None = None) -> str:
    """What is said about reading from there."""
    reading = LangfuseClient(url, "pk", "sk", ca_file=ca_file)
    try:
        with pytest.raises(RemoteError) as caught:
            await reading.traces()
        return str(caught.value)
    finally:
        await reading.close()


async def test_a_certificate_that_is_not_trusted_says_how_to_trust_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority, file = trustme.CA(), tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(file))
    async with server(tls=certified(authority)) as port:
        url = f"https://127.0.0.1:{port}"
        words = await said(url)
        assert words.startswith(f"The certificate of {url} is not trusted (")
        assert "--ca FILE" in words and "SSL_CERT_FILE" in words
        trusting = LangfuseClient(url, "pk", "sk", ca_file=file)
        assert (await trusting.traces()).data == [ApiTraceItem(id="t")]
        await trusting.close()
        monkeypatch.setenv("SSL_CERT_FILE", str(file))
        trusting = LangfuseClient(url, "pk", "sk")
        assert (await trusting.traces()).data == [ApiTraceItem(id="t")]
        await trusting.close()


async def test_other_faults_of_certificates_have_other_words(tmp_path: Path) -> None:
    authority, file = trustme.CA(), tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(file))
    async with server(tls=certified(authority, "other.example")) as port:
        assert "is for another" in await said(f"https://127.0.0.1:{port}", file)
    past = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    async with server(tls=certified(authority, not_after=past)) as port:
        assert "has expired" in await said(f"https://127.0.0.1:{port}", file)


async def test_the_wrong_scheme_is_told_from_both_sides(monkeypatch: pytest.MonkeyPatch) -> None:
    async with server(tls=certified(trustme.CA())) as port:
        assert await said(f"http://127.0.0.1:{port}") == (
            f"http://127.0.0.1:{port} speaks TLS. Write https://127.0.0.1:{port}."
        )
    monkeypatch.setattr(client, "CONNECT_TIMEOUT_S", 0.3)
    for is_patient in (False, True):
        async with server(is_patient=is_patient) as port:
            assert await said(f"https://127.0.0.1:{port}") == (
                f"https://127.0.0.1:{port} does not speak TLS. Write http://127.0.0.1:{port}."
            )
    async with server(400, NGINX) as port:  # it speaks of HTTPS, but speaks it not
        assert "refused the request with status 400" in await said(f"http://127.0.0.1:{port}")


async def test_hosts_and_ports_without_a_server_are_told_apart() -> None:
    async with server() as port:
        pass
    assert await said(f"http://127.0.0.1:{port}") == (
        f"No Langfuse server answers at http://127.0.0.1:{port}. Check the address, or start one."
    )
    words = await said("http://nowhere.invalid:3000")
    assert "host" in words and "nowhere.invalid" in words and "No Langfuse server" not in words
    for ends_early in (server(0), server(is_cut=True)):
        async with ends_early as port:
            assert "ended the connection" in await said(f"http://127.0.0.1:{port}")


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("127.0.0.1:3391", "lacks http:// or https://"),
        ("localhost:3000", "lacks http:// or https://"),
        ("", "lacks http:// or https://"),
        ("ftp://a.example", "does not begin with http:// or https://"),
        ("http://[::1", "is no address"),
        ("http://a.example:port", "is no address"),
        ("http://a.example:99999", "is no address"),
        ("http://", "names no host"),
        ("http:///traces", "names no host"),
        ("http://a b", "names no host"),
        ("http://a..b", "names no host"),
        ("http://a\x1b]2;x\x07", "is no address"),
    ],
)
def test_what_is_no_address_is_said(url: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words) as caught:
        checked_address(url)
    assert str(caught.value).isprintable()


def test_an_address_loses_what_does_not_belong_to_it() -> None:
    assert checked_address(" https://u:secret@a.example/langfuse/?x=1#y ") == "https://a.example/langfuse"
    assert checked_address("HTTP://[::1]:3000/") == "http://[::1]:3000"
    with pytest.raises(ConfigError) as caught:
        checked_address("http://u:secret@a.example:port")
    assert "secret" not in str(caught.value)


async def test_a_proxy_is_named_when_it_is_what_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://u:secret@127.0.0.1:9")
    words = await said("http://a.example")
    assert words == (
        "The proxy at 127.0.0.1:9 (http_proxy) does not answer. Fix http_proxy, or add a.example to no_proxy."
    )
    async with server(407, b"") as port:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{port}")
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{port}")
        assert "asks for a login" in await said("http://a.example")
        assert f"The proxy at 127.0.0.1:{port} (https_proxy) refused: 407" in await said("https://a.example")
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:9")
    monkeypatch.delenv("http_proxy")
    assert "SOCKS5" in await said("http://a.example")


@pytest.mark.parametrize(
    ("variable", "content", "words"),
    [
        ("SSL_CERT_FILE", None, "which cannot be read: No such file or directory"),
        ("SSL_CERT_FILE", "no certificate", "which holds no certificate"),
        ("SSL_CERT_DIR", None, "which is no directory"),
    ],
)
async def test_certificates_that_cannot_be_read_are_named_where_they_matter(
    variable: str, content: str | None, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_text(content)
    monkeypatch.setenv(variable, str(file))
    assert f"{variable} names {file}, {words}" in await said("https://a.example")
    async with server() as port:
        reading = LangfuseClient(f"http://127.0.0.1:{port}", "pk", "sk")
        assert (await reading.traces()).data == [ApiTraceItem(id="t")]
        await reading.close()


async def test_this_machine_and_its_supervisor_are_reached_in_a_hostile_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "::1,localhost,[::1]")
    monkeypatch.setenv("SSL_CERT_FILE", "/nonexistent")
    async with server() as port:
        for host in ("127.0.0.1", "localhost"):
            reading = LangfuseClient(f"http://{host}:{port}", "pk", "sk")
            assert (await reading.traces()).data == [ApiTraceItem(id="t")]
            await reading.close()
    async with server(socket=tmp_path / "s"):
        control = ControlClient(tmp_path / "s")
        await control.control("web", "restart")
        await control.close()


async def test_text_that_is_not_utf_8_is_mended() -> None:
    async with server(content=b'{"data": [{"id": "\xff", "name": "\\ud800 \\ud83d\\ude42"}]}') as port:
        reading = LangfuseClient(f"http://127.0.0.1:{port}", "pk", "sk")
        assert (await reading.traces(userId="\udcff")).data == [ApiTraceItem(id="\ufffd", name="\ufffd 🙂")]
        await reading.get(f"/api/public/traces/{segment(chr(0xDCFF))}", into=dict[str, object])
        await reading.close()
