"""Ports: free, taken, and claimed for good."""

from __future__ import annotations

import errno
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from appliance.errors import ConfigError
from appliance.orchestrator.host.listener import claim_web_port, listen
from appliance.orchestrator.host.ports import choose_port, hold_port, is_free, local_host_name, port_holder

HOST = "127.0.0.1"


@pytest.fixture
def taken() -> Iterator[int]:
    """A port on which somebody listens."""
    with socket.socket() as server:
        server.bind((HOST, 0))
        server.listen()
        yield server.getsockname()[1]


def test_the_next_free_port_is_chosen(taken: int) -> None:
    assert not is_free(HOST, taken)
    chosen = choose_port(HOST, [taken], {taken + 1})
    assert chosen > taken + 1


def _try_to_listen(port: int, address: str, *, as_nobody: bool) -> str:
    """What becomes of a program that wants the port with all its might."""
    code = (
        "import os, socket, sys\n"
        "if sys.argv[3] == 'nobody': os.setuid(65534)\n"
        "with socket.socket() as s:\n"
        "    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)\n"
        "    if sys.argv[3] == 'nobody': s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)\n"
        "    try:\n"
        "        s.bind((sys.argv[1], int(sys.argv[2]))); s.listen(); print('listens')\n"
        "    except OSError: print('refused')\n"
    )
    argv = [sys.executable, "-c", code, address, str(port), "nobody" if as_nobody else "me"]
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.parametrize("address", [HOST, "0.0.0.0"])
def test_a_held_port_is_for_servers_of_this_user_only(address: str) -> None:
    held = hold_port(None, 27_700)
    try:
        assert _try_to_listen(held.port, address, as_nobody=False) == "refused"
        if os.geteuid() == 0:
            assert _try_to_listen(held.port, address, as_nobody=True) == "refused"
        with socket.socket() as client:
            assert client.connect_ex((HOST, held.port)) == errno.ECONNREFUSED  # it waits for nobody
        with socket.socket() as ours:
            for option in (socket.SO_REUSEADDR, socket.SO_REUSEPORT):
                ours.setsockopt(socket.SOL_SOCKET, option, 1)
            ours.bind((HOST, held.port))
            ours.listen()
            with socket.create_connection((HOST, held.port), 1):
                pass
        assert _try_to_listen(held.port, address, as_nobody=False) == "refused"
    finally:
        held.close()
    assert _try_to_listen(held.port, address, as_nobody=False) == "listens"


def test_each_holder_gets_a_port_of_its_own(taken: int) -> None:
    held = [hold_port(taken, 27_700, avoid=[27_700]) for _ in range(3)]
    try:
        assert len({taken, 27_700, *(each.port for each in held)}) == 5
    finally:
        for each in held:
            each.close()


def test_a_port_that_somebody_has_bound_without_listening_is_taken() -> None:
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind((HOST, 0))
        taken = other.getsockname()[1]
        held = hold_port(taken, 27_700)
        held.close()
        assert held.port != taken


def test_a_wanted_port_that_is_taken_names_its_holder(taken: int) -> None:
    with pytest.raises(ConfigError, match=rf"Port {taken} is taken by .*\(pid {os.getpid()}\)"):
        claim_web_port(HOST, taken, None)
    assert f"pid {os.getpid()}" in port_holder(taken)


def test_a_claimed_port_is_nobody_elses(taken: int) -> None:
    first = claim_web_port(HOST, 0, taken)
    second = claim_web_port(HOST, 0, first.port)
    try:
        assert len({taken, first.port, second.port}) == 3
        assert listen(HOST, first.port) is None
        with socket.create_connection((HOST, first.port), 1):
            pass
    finally:
        first.close()
        second.close()


def test_what_is_sent_on_accepted_connections_leaves_at_once() -> None:
    listening = listen(HOST, choose_port(HOST, [27800], set()))
    assert listening is not None
    with listening, socket.create_connection(listening.getsockname()), listening.accept()[0] as accepted:
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_a_closed_listener_refuses_and_opens_again() -> None:
    listener = claim_web_port(HOST, 0, None)
    descriptor = listener.open()
    assert listener.open() == descriptor
    listener.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((HOST, listener.port), 1)
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind((HOST, listener.port))
        other.listen()
        with pytest.raises(ConfigError, match="is taken by"):
            listener.open()
    listener.open()
    listener.close()


def test_an_impossible_host_is_one_sentence() -> None:
    with pytest.raises(ConfigError, match="not an address of this machine"):
        claim_web_port("192.0.2.1", 0, None)


def resolving(*addresses: str) -> Callable[..., list[Any]]:
    """A resolver to which `localhost` is these addresses."""
    real = socket.getaddrinfo

    def resolve(host: str, *arguments: Any, **options: Any) -> list[Any]:
        if host != "localhost":
            return real(host, *arguments, **options)
        if not addresses:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        return [found for address in addresses for found in real(address, *arguments, **options)]

    return resolve


@pytest.mark.parametrize(
    ("host", "localhost", "name"),
    [
        ("127.0.0.1", ("127.0.0.1",), "localhost"),
        ("127.0.0.1", ("::1",), "127.0.0.1"),
        ("127.0.0.1", (), "127.0.0.1"),
        ("0.0.0.0", ("127.0.0.1",), "localhost"),
        ("::1", ("127.0.0.1",), "[::1]"),
        ("::1", ("::1",), "localhost"),
        ("::", ("127.0.0.1",), "localhost"),
        ("192.0.2.7", ("127.0.0.1",), "192.0.2.7"),
        ("2001:db8::7", ("127.0.0.1",), "[2001:db8::7]"),
    ],
)
def test_localhost_is_said_only_where_it_leads_to_us(
    host: str, localhost: tuple[str, ...], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", resolving(*localhost))
    assert local_host_name(host, [1]) == name


def test_localhost_is_not_said_where_its_other_address_is_another_server(
    taken: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", resolving("::1", HOST))
    assert local_host_name("::1", [taken]) == "[::1]"


@pytest.mark.parametrize("host", ["no such host", "127.0.0.1:3000", "http://127.0.0.1", "a..b"])
def test_a_host_that_is_no_address_is_one_sentence(host: str) -> None:
    with pytest.raises(ConfigError, match="LANGFUSE_LOCAL_HOST"):
        claim_web_port(host, 0, None)
