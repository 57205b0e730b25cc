"""Free ports on this machine, and who holds a taken one."""

from __future__ import annotations

import contextlib
import errno
import socket
from collections.abc import Collection, Iterable

import psutil

from appliance.errors import ApplianceError, ConfigError, PortTaken, RuntimeUnavailable

SEARCH_WIDTH = 500
MOST_PORT_CHANGES = 5
"""How often the stores are restarted on other ports when another program takes theirs."""
HOST = "127.0.0.1"
"""The address that our own stores listen on."""
_LOOPBACK = (HOST, "::1")


def is_free(host: str, port: int) -> bool:
    """Whether a server could bind `host:port` now; raises ConfigError when this user or machine cannot bind it."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            return True
    except (socket.gaierror, UnicodeError) as error:
        raise ConfigError(
            f"{host!r} is not a known address to listen on.", hint="Set --host or LANGFUSE_LOCAL_HOST."
        ) from error
    except PermissionError as error:
        raise ConfigError(
            f"Port {port} needs more rights than this user has.", hint="Choose one above 1023."
        ) from error
    except OSError as error:
        if error.errno == errno.EADDRNOTAVAIL:
            raise ConfigError(f"{host} is not an address of this machine.", hint="Try --host 127.0.0.1.") from error
        return False


def choose_port(host: str, preferred: list[int], avoid: set[int]) -> int:
    """The first free port of `preferred`, else the next free one above the last of them."""
    last = int(preferred[-1])
    port: int
    for port in [*preferred, *range(last + 1, min(last + SEARCH_WIDTH, 65536))]:
        if port not in avoid and is_free(host, port):
            return port
    raise RuntimeUnavailable(f"No free port between {last} and {last + SEARCH_WIDTH} on {host}.")


class HeldPort:
    """A loopback port that only servers of this user can listen on, until `close`.

    Its socket is bound and never listens, so the port stays ours while the server is down or restarts. The server
    must set SO_REUSEPORT, which the kernel allows only to the user who has set it on the socket that is there.
    """

    def __init__(self, port: int, bound: socket.socket) -> None:
        self.port = port
        self._bound = bound

    def close(self) -> None:
        """Releases the port."""
        self._bound.close()


def hold_port(remembered: int | None, usual: int, avoid: Collection[int] = ()) -> HeldPort:
    """Reserves the remembered port, else the usual one, else the next free one; none of `avoid`.

    Raises RuntimeUnavailable.
    """
    for port in [*([remembered] if remembered else []), *range(usual, min(usual + SEARCH_WIDTH, 65536))]:
        if port not in avoid and (bound := _bind_exclusively(port)) is not None:
            return HeldPort(port, bound)
    raise RuntimeUnavailable(f"No free port between {usual} and {usual + SEARCH_WIDTH} on {HOST}.")


def _bind_exclusively(port: int) -> socket.socket | None:
    """A bound socket that others cannot bind beside, None when the port is taken."""
    with socket.socket() as claim, contextlib.ExitStack() as stack:
        holder = stack.enter_context(socket.socket())
        try:
            # Connections that a server closed a minute ago (TIME_WAIT) do not count.
            claim.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            claim.bind((HOST, port))
            claim.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
            # Fails when another program bound the port in the meantime.
            claim.listen(1)
            claim.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            holder.bind((HOST, port))
            holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
        except OSError:
            return None
        stack.pop_all()
    return holder


def lost_ports(error: ApplianceError, ports: Iterable[int]) -> set[int]:
    """Which of these loopback ports of stores, which are stopped now, another program has taken.

    `error` is why the stores did not start: the container engine may report a port that looks free from here.
    """
    reported = {error.port} if isinstance(error, PortTaken) and error.port else set()
    return reported | {port for port in ports if not is_free("127.0.0.1", port)}


def port_holder(port: int) -> str:
    """` by NAME (pid N)` for the process that listens on a TCP port, empty when it is not known."""
    try:
        for connection in psutil.net_connections(kind="tcp"):
            if connection.status == psutil.CONN_LISTEN and tuple(connection.laddr)[1:2] == (port,):
                if connection.pid is None:
                    return " by a process of another user"
                return f" by {psutil.Process(connection.pid).name()} (pid {connection.pid})"
    except (psutil.AccessDenied, psutil.NoSuchProcess):
        return " by another process"
    return ""


def reachable_host(host: str) -> str:
    """The address at which this machine reaches a server that listens on `host`."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)


def url_host(host: str) -> str:
    """A host as written in a URL: IPv6 in brackets."""
    return f"[{host}]" if ":" in host else host


def local_host_name(host: str, ports: Collection[int]) -> str:
    """The host name for URLs on this machine: `localhost` when it leads to this server only, else the address."""
    reachable = reachable_host(host)
    if reachable not in _LOOPBACK:
        return url_host(reachable)
    own = set(_LOOPBACK) if host == "::" else {reachable}
    try:
        addresses = {str(info[4][0]) for info in socket.getaddrinfo("localhost", None, type=socket.SOCK_STREAM)}
    except OSError:
        addresses = set()
    leads_here = bool(addresses & own) and not any(
        _is_taken(other, port) for other in addresses - own for port in ports
    )
    return "localhost" if leads_here else url_host(reachable)


def _is_taken(host: str, port: int) -> bool:
    try:
        return not is_free(host, port)
    except ConfigError:  # not an address of this machine
        return False
