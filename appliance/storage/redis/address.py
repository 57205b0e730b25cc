"""Where Redis is: one server, a cluster or sentinels, by Langfuse's single variables or by one connection string."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import unquote, urlsplit

from redis.asyncio.connection import parse_url

from appliance.config import RedisSettings
from appliance.errors import ConfigError

Mode = Literal["server", "cluster", "sentinel"]
Node = tuple[str, int]

_MODES: Final[Mapping[str, Mode]] = {"cluster": "cluster", "sentinel": "sentinel"}
_PORTS: Final[Mapping[Mode, int]] = {"server": 6379, "cluster": 6379, "sentinel": 26379}
_HINT: Final = (
    "Fix REDIS_CONNECTION_STRING (in a password / ? # @ % are written as %2F %3F %23 %40 %25), "
    "or use REDIS_HOST, REDIS_CLUSTER_NODES or REDIS_SENTINEL_NODES."
)


class _Unusable(ValueError):
    """What is wrong with an address, without quoting it: it may hold a password."""


@dataclass(frozen=True, slots=True)
class Address:
    """The parameters of a connection, for every topology."""

    mode: Mode
    nodes: tuple[Node, ...]
    """The server, or the nodes to query first for the others."""
    is_tls: bool
    arguments: Mapping[str, Any] = field(default_factory=dict)
    """Arguments of the driver for the server with the data: login, database, TLS."""
    sentinel_arguments: Mapping[str, Any] = field(default_factory=dict)
    """Arguments of the driver for the sentinels."""
    master_name: str = ""
    """Name of the master in the sentinels' configuration."""
    path: str = ""
    """Path of the unix socket, for a server on this machine."""

    @property
    def text(self) -> str:
        """The first node or server, without secrets."""
        if self.path:
            return self.path
        host, port = self.nodes[0]
        return f"{host}:{port}"


def address_of(settings: RedisSettings) -> Address:
    """The address of these settings; raises ConfigError when it is missing or invalid."""
    if not settings.is_given:
        raise ConfigError("There is no address of Redis.", hint="Set REDIS_CONNECTION_STRING or REDIS_HOST.")
    try:
        address = _of_string(settings) if settings.connection_string else _of_parts(settings)
    except _Unusable as error:
        raise ConfigError(f"The address of Redis cannot be used: {error}.", hint=_HINT) from None
    except ValueError:  # the message quotes the address, which may hold the password; so would a chained traceback
        raise ConfigError("The address of Redis cannot be used: it is no URL.", hint=_HINT) from None
    for path in (settings.tls_ca_path, settings.tls_cert_path, settings.tls_key_path):
        if path and not Path(path).is_file():
            raise ConfigError(f"{path} is not there, or may not be read.", hint="Fix the REDIS_TLS settings.")
    return address


def _of_string(settings: RedisSettings) -> Address:
    url = settings.connection_string
    if url.startswith("unix://"):
        return _of_socket(settings)
    scheme, _, rest = url.partition("://")
    plain, _, kind = scheme.partition("+")
    if plain not in ("redis", "rediss") or (kind and kind not in _MODES):
        raise _Unusable("it begins with none of redis://, rediss://, unix://, redis+cluster:// and redis+sentinel://")
    if "@" in re.split("[/?#]", rest, maxsplit=1)[-1] and re.search("[/?#]", rest):
        raise _Unusable("a sign in the password cuts it at the wrong place")
    is_tls = plain == "rediss"
    shared = {**_login(settings.username, settings.auth), **(_tls(settings) if is_tls else {})}
    if not kind:
        parameters: dict[str, Any] = dict(parse_url(url))
        parameters.pop("connection_class", None)
        node = str(parameters.pop("host", "localhost")), int(parameters.pop("port", _PORTS["server"]))
        if settings.cluster_enabled:
            parameters.pop("db", None)
            nodes = _nodes(settings.cluster_nodes, "cluster") if settings.cluster_nodes else (node,)
            return Address("cluster", nodes, is_tls, {**shared, **parameters})
        return Address("server", (node,), is_tls, {**shared, **parameters})
    parts = urlsplit(f"{plain}://{rest}")
    login, _, hosts = parts.netloc.rpartition("@")
    user, _, password = login.partition(":")
    shared |= _login(unquote(user), unquote(password))
    nodes = _nodes(hosts, _MODES[kind])
    if kind == "cluster":
        return Address("cluster", nodes, is_tls, shared)
    master, _, database = parts.path.strip("/").partition("/")
    return _sentinel(settings, nodes, master, is_tls, {**shared, "db": int(database or 0)})


def _of_socket(settings: RedisSettings) -> Address:
    """`unix://user:password@/path?db=0`."""
    parameters: dict[str, Any] = dict(parse_url(settings.connection_string))
    parameters.pop("connection_class", None)
    path = str(parameters.pop("path", ""))
    if not path.startswith("/"):
        raise _Unusable("unix:// needs the path of a socket")
    return Address("server", (), False, {**_login(settings.username, settings.auth), **parameters}, path=path)


def _of_parts(settings: RedisSettings) -> Address:
    is_tls = settings.tls_enabled
    shared = {**_login(settings.username, settings.auth), **(_tls(settings) if is_tls else {})}
    if settings.cluster_enabled and settings.cluster_nodes:
        return Address("cluster", _nodes(settings.cluster_nodes, "cluster"), is_tls, shared)
    if settings.sentinel_enabled and settings.sentinel_nodes:
        nodes = _nodes(settings.sentinel_nodes, "sentinel")
        return _sentinel(settings, nodes, settings.sentinel_master_name, is_tls, shared)
    node = (settings.host, settings.port)
    return Address("cluster" if settings.cluster_enabled else "server", (node,), is_tls, shared)


def _sentinel(
    settings: RedisSettings, nodes: tuple[Node, ...], master: str, is_tls: bool, arguments: Mapping[str, Any]
) -> Address:
    name = master or settings.sentinel_master_name
    if not name:
        raise _Unusable("the sentinels need the name of the master, REDIS_SENTINEL_MASTER_NAME")
    own = {**_login(settings.sentinel_username, settings.sentinel_password), **(_tls(settings) if is_tls else {})}
    return Address("sentinel", nodes, is_tls, arguments, own, name)


def _nodes(text: str, mode: Mode) -> tuple[Node, ...]:
    nodes = []
    for number, part in enumerate(filter(None, (word.strip() for word in text.split(","))), 1):
        place = urlsplit(f"//{part}")
        if not place.hostname:
            raise _Unusable(f"node {number} is not host:port")
        nodes.append((place.hostname, place.port or _PORTS[mode]))
    if not nodes:
        raise _Unusable("it names no host")
    return tuple(nodes)


def _login(username: str, password: str) -> dict[str, str]:
    return {name: value for name, value in (("username", username), ("password", password)) if value}


def _tls(settings: RedisSettings) -> dict[str, Any]:
    chosen: dict[str, Any] = {
        "ssl_cert_reqs": "required" if settings.tls_reject_unauthorized else "none",
        "ssl_check_hostname": settings.tls_check_server_identity and settings.tls_reject_unauthorized,
    }
    named = {
        "ssl_ca_certs": settings.tls_ca_path,
        "ssl_certfile": settings.tls_cert_path,
        "ssl_keyfile": settings.tls_key_path,
        "ssl_password": settings.tls_key_passphrase,
        "ssl_ciphers": settings.tls_ciphers,
    }
    return chosen | {name: value for name, value in named.items() if value}
