"""Ports: free, taken, and claimed for good."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator

import pytest

from appliance.errors import ConfigError
from appliance.orchestrator.listener import claim_web_port, listen
from appliance.orchestrator.ports import choose_port, choose_store_ports, is_free, port_holder

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


def test_stores_get_different_ports_and_none_to_avoid() -> None:
    first = choose_store_ports({})
    assert len(set(first.values())) == 3
    assert not set(choose_store_ports(first, list(first.values())).values()) & set(first.values())


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
