"""Free ports on this machine, and who holds a taken one."""

from __future__ import annotations

import socket
from collections.abc import Mapping

import psutil

from appliance.errors import ConfigError, RuntimeUnavailable

USUAL_PORTS: Mapping[str, int] = {"postgres": 15432, "redis": 16379, "clickhouse": 18123, "web": 3000}
_SEARCH_WIDTH = 500


def is_free(host: str, port: int) -> bool:
    """Whether a server could bind `host:port` now; raises ConfigError when the host is not an address of this machine."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            return True
    except socket.gaierror as error:
        raise ConfigError(f"--host {host} is not a known address: {error.strerror}.") from error
    except PermissionError as error:
        raise ConfigError(
            f"Port {port} needs more rights than this user has.", hint="Choose one above 1023."
        ) from error
    except OSError as error:
        if error.errno == 99:
            raise ConfigError(f"{host} is not an address of this machine.", hint="Try --host 127.0.0.1.") from error
        return False


def choose_port(host: str, wanted: list[int], avoid: set[int]) -> int:
    """The first free port of `wanted`, else the next free one above the last of them."""
    last: int = wanted[-1]
    for port in [*wanted, *range(last + 1, min(last + _SEARCH_WIDTH, 65536))]:
        if port not in avoid and is_free(host, port):
            return port
    raise RuntimeUnavailable(f"No free port between {last} and {last + _SEARCH_WIDTH} on {host}.")


def choose_store_ports(remembered: Mapping[str, int]) -> dict[str, int]:
    """One loopback port per store: the remembered one, else the usual one, else the next free."""
    chosen: dict[str, int] = {}
    for name in ("postgres", "redis", "clickhouse"):
        wanted = [*([remembered[name]] if name in remembered else []), USUAL_PORTS[name]]
        chosen[name] = choose_port("127.0.0.1", wanted, set(chosen.values()))
    return chosen


def choose_web_port(host: str, explicit: int, remembered: int | None) -> int:
    """The port for web; raises ConfigError that names the holder when an explicitly wanted one is taken."""
    if explicit:
        if not is_free(host, explicit):
            holder = port_holder(explicit)
            raise ConfigError(f"Port {explicit} is taken{holder}.", hint="Stop it, or choose another --port.")
        return explicit
    return choose_port(host, [*([remembered] if remembered else []), USUAL_PORTS["web"]], set())


def port_holder(port: int) -> str:
    """` by NAME (pid N)` for the process that listens on a TCP port, empty when that cannot be told."""
    try:
        for connection in psutil.net_connections(kind="tcp"):
            if connection.status == psutil.CONN_LISTEN and tuple(connection.laddr)[1:2] == (port,) and connection.pid:
                return f" by {psutil.Process(connection.pid).name()} (pid {connection.pid})"
    except (psutil.AccessDenied, psutil.NoSuchProcess):
        return " by a process of another user"
    return ""
