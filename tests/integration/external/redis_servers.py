"""Real Redis processes of our own: single ones, a cluster, a master with a replica and sentinels."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import redis

from appliance.orchestrator.host.ports import is_free
from appliance.orchestrator.runtimes.embedded.redis import find_server

PASSWORD = "a secret/with:signs"
HOST = "127.0.0.1"
START_S = 20.0
_FIRST_PORT = 19800
_BUS = 10_000
"""Above a server's port, where the servers of a cluster speak with each other: below what the system hands out."""


@dataclass(slots=True)
class RedisServer:
    """One process, which can be killed and started again on its data."""

    folder: Path
    port: int
    arguments: tuple[str, ...]
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts it and waits until it answers."""
        binary = find_server()
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [binary, *self.arguments], cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        until(lambda: _answers(self))

    def kill(self) -> None:
        """Ends it at once."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def ask(self, *words: str | int | bytes) -> Any:
        """The raw reply to one command of the test itself."""
        client = redis.Redis(port=self.port, password=PASSWORD, socket_timeout=5, protocol=2)
        client.response_callbacks.clear()
        try:
            return client.execute_command(*words)  # type: ignore[no-untyped-call]
        finally:
            client.close()

    def replication(self) -> dict[str, str]:
        """What it says of its role: `role`, `connected_slaves`, `master_port`, `master_link_status`."""
        return facts(self.ask("INFO", "replication"))


def until(condition: Callable[[], bool], within_s: float = START_S) -> None:
    """Waits for a condition; raises AssertionError."""
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, f"not within {within_s} s"
        time.sleep(0.02)


def free_ports(count: int) -> list[int]:
    """Ports that nothing listens on, nor on those of their bus."""
    free = (port for port in range(_FIRST_PORT, 65536 - _BUS) if is_free(HOST, port) and is_free(HOST, port + _BUS))
    return list(islice(free, count))


def data_arguments(port: int, *more: str) -> tuple[str, ...]:
    """The command line of a server that keeps what it accepts and asks for a password."""
    words = ["--port", str(port), "--bind", "127.0.0.1", "--requirepass", PASSWORD, "--masterauth", PASSWORD]
    words += [
        "--appendonly",
        "yes",
        "--save",
        "",
        "--maxmemory-policy",
        "noeviction",
        "--repl-diskless-sync-delay",
        "0",
    ]
    return (*words, *more)


@contextmanager
def running(*servers: RedisServer) -> Iterator[None]:
    """All of them, until the end of the block."""
    with ExitStack() as stack:
        for server in servers:
            server.folder.mkdir()
            stack.callback(server.kill)
            server.start()
        yield


@contextmanager
def cluster(folder: Path) -> Iterator[list[RedisServer]]:
    """Three masters, two replicas of each; every port plus 10000 is theirs, too."""
    ports = free_ports(9)
    more = ("--cluster-enabled", "yes", "--cluster-node-timeout", "1000", "--cluster-replica-validity-factor", "0")
    servers = [RedisServer(folder / f"node-{port}", port, data_arguments(port, *more)) for port in ports]
    with running(*servers):
        for server in servers[1:]:
            servers[0].ask("CLUSTER", "MEET", "127.0.0.1", server.port)
        for number, server in enumerate(servers[:3]):
            slots = range(16384 * number // 3, 16384 * (number + 1) // 3)
            server.ask("CLUSTER", "ADDSLOTS", *slots)
        for number, server in enumerate(servers[3:]):
            master = servers[number % 3].ask("CLUSTER", "MYID")
            until(partial(_follows, server, master))
        until(lambda: all(_is_whole(server) for server in servers))
        yield servers


@contextmanager
def sentinels(folder: Path) -> Iterator[tuple[list[RedisServer], list[RedisServer]]]:
    """A master with two replicas, and three sentinels who call the master `traces`."""
    ports = free_ports(6)
    master = RedisServer(folder / "master", ports[0], data_arguments(ports[0]))
    following = ("--replicaof", "127.0.0.1", str(ports[0]))
    replicas = [RedisServer(folder / f"replica-{port}", port, data_arguments(port, *following)) for port in ports[1:3]]
    watching = []
    for port in ports[3:]:
        config = folder / f"sentinel-{port}.conf"
        config.write_text(
            f"port {port}\nbind 127.0.0.1\nrequirepass {_quoted(PASSWORD)}\n"
            f"sentinel monitor traces 127.0.0.1 {ports[0]} 2\nsentinel auth-pass traces {_quoted(PASSWORD)}\n"
            "sentinel down-after-milliseconds traces 600\nsentinel failover-timeout traces 3000\n"
        )
        watching.append(RedisServer(folder / f"sentinel-{port}", port, (str(config), "--sentinel")))
    with running(master, *replicas):
        until(lambda: _is_followed(master))
        with running(*watching):
            until(lambda: all(_sees_all(each) for each in watching))
            yield [master, *replicas], watching


def _quoted(text: str) -> str:
    return f'"{text}"'


def facts(reply: bytes) -> dict[str, str]:
    """The pairs of INFO and its like."""
    pairs = [line.partition(":") for line in reply.decode().split("\r\n")]
    return {name: value for name, colon, value in pairs if colon}


def _answers(server: RedisServer) -> bool:
    try:
        return bool(server.ask("PING") == b"PONG")
    except redis.RedisError:
        return False


def _is_followed(server: RedisServer) -> bool:
    return server.replication()["connected_slaves"] == "2"


def _follows(server: RedisServer, master: bytes) -> bool:
    try:
        server.ask("CLUSTER", "REPLICATE", master)
    except redis.RedisError:  # it has not heard of the master yet
        return False
    return True


def _is_whole(server: RedisServer) -> bool:
    state, role = facts(server.ask("CLUSTER", "INFO")), server.replication()
    is_synced = role["connected_slaves"] == "2" if role["role"] == "master" else role["master_link_status"] == "up"
    return state["cluster_state"] == "ok" and state["cluster_known_nodes"] == "9" and is_synced


def _sees_all(sentinel: RedisServer) -> bool:
    masters = sentinel.ask("SENTINEL", "MASTERS")
    if not masters:
        return False
    state = dict(zip(masters[0][::2], masters[0][1::2], strict=True))
    return bool(state[b"num-slaves"] == b"2" and state[b"num-other-sentinels"] == b"2")
