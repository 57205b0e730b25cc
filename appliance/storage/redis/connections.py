"""Connections that look up their server each time: the owner of our keys in a cluster, the master of sentinels.

All keys carry one hash tag and so live in one slot of a cluster. Therefore one server at a time holds them all, and
transactions, scripts and subscriptions work as on a single server; only where it is can change.
"""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

from redis.asyncio import Redis, Sentinel
from redis.asyncio.connection import AbstractConnection, Connection, SSLConnection, UnixDomainSocketConnection
from redis.crc import key_slot
from redis.exceptions import (
    AskError,
    ClusterDownError,
    ConnectionError,
    MasterDownError,
    MovedError,
    ReadOnlyError,
    RedisError,
    ResponseError,
    TryAgainError,
)

from appliance.storage.redis.address import Address, Node
from appliance.storage.redis.keys import TAG

Locate = Callable[[], Awaitable[Node]]

SLOT: Final = key_slot(TAG.encode())
_ELSEWHERE: Final = (
    MovedError,
    AskError,
    ReadOnlyError,
    ClusterDownError,
    MasterDownError,
    TryAgainError,
)
"""Errors of a server that does not, or not yet, hold our keys for writing."""


class _Located(Connection):
    """Looks up the server before it connects, and disconnects from one that is the wrong one."""

    def __init__(self, *, locate: Locate, **arguments: Any) -> None:
        self._locate = locate
        super().__init__(**arguments)

    async def _connect(self) -> None:
        self.host, self.port = await self._locate()
        await super()._connect()  # type: ignore[no-untyped-call]

    async def read_response(self, *arguments: Any, **named: Any) -> Any:
        try:
            return await super().read_response(*arguments, **named)
        except ResponseError as error:
            # Redis 6 wraps the error of a command in a script.
            if not isinstance(error, _ELSEWHERE) and "-READONLY" not in str(error):
                raise
            await self.disconnect()
            raise ConnectionError(f"The server at {self.host}:{self.port} no longer holds our keys: {error}") from error


class _Named(SSLConnection):
    """TLS with a server whose certificate has another name than its host."""

    def __init__(self, *, server_name: str = "", **arguments: Any) -> None:
        self._server_name = server_name
        super().__init__(**arguments)

    def _connection_arguments(self) -> Mapping[str, Any]:
        named = {"server_hostname": self._server_name} if self._server_name else {}
        return {**super()._connection_arguments(), **named}


class _LocatedTls(_Located, _Named):
    """A located connection with TLS."""


def connection_class(address: Address) -> type[AbstractConnection]:
    """The class of the connections to the server that holds the data."""
    if address.path:
        return UnixDomainSocketConnection
    if address.mode == "server":
        return _Named if address.is_tls else Connection
    return _LocatedTls if address.is_tls else _Located


def locator(address: Address, common: Mapping[str, Any]) -> Locate:
    """The function that finds the server with the data; `common` are the timeouts of its query."""
    if address.mode == "sentinel":
        arguments = {**common, **address.sentinel_arguments, **({"ssl": True} if address.is_tls else {})}
        return lambda: _ask_sentinels(address, arguments)
    known: list[Node] = list(address.nodes)
    return lambda: _ask_cluster(address, common, known)


async def _ask_sentinels(address: Address, arguments: Mapping[str, Any]) -> Node:
    async with Sentinel(  # type: ignore[no-untyped-call]
        list(address.nodes), sentinel_kwargs=arguments
    ) as sentinel:
        host, port = await sentinel.discover_master(address.master_name)
    return str(host), int(port)


async def _ask_cluster(address: Address, common: Mapping[str, Any], known: list[Node]) -> Node:
    """The owner of our slot, by the first node that answers, whose nodes are added to `known`."""
    failures: list[str] = []
    for host, port in list(known):
        arguments = {**common, **address.arguments, **({"ssl": True} if address.is_tls else {})}
        node = Redis(host=host, port=port, **arguments)
        try:
            slots: Any = await node.execute_command("CLUSTER SLOTS")  # type: ignore[no-untyped-call]
        except (RedisError, OSError) as error:
            failures.append(f"{host}:{port}: {error}")
            continue
        finally:
            with contextlib.suppress(RedisError, OSError):
                await node.aclose()
        owner, heard = _read_slots(slots, host)
        known[:] = [*heard, *(each for each in address.nodes if each not in heard)]
        if owner is not None:
            return owner
        failures.append(f"{host}:{port} knows no owner of slot {SLOT}")
    raise ConnectionError(f"No node of the cluster knows where our keys are: {'; '.join(failures)}")


def _read_slots(slots: Any, queried: str) -> tuple[Node | None, Sequence[Node]]:
    """The owner of our slot and all nodes, from CLUSTER SLOTS; an empty host means the node that answered."""
    owner: Node | None = None
    heard: dict[Node, None] = {}
    for first, last, *nodes in slots:
        named = [(host.decode() if host else queried, int(port)) for host, port, *_ in nodes]
        heard |= dict.fromkeys(named)
        if first <= SLOT <= last and named:
            owner = named[0]
    return owner, list(heard)
