"""The socket that web serves, bound by the supervisor so that two appliances never choose the same port."""

from __future__ import annotations

import contextlib
import errno
import socket

from appliance.errors import ConfigError, RuntimeUnavailable
from appliance.model.services import USUAL_PORTS
from appliance.orchestrator.host.ports import SEARCH_WIDTH, is_free, port_holder

_BACKLOG = 2048


class WebListener:
    """A listening socket that stays open while web restarts, so that clients wait instead of being refused."""

    def __init__(self, host: str, port: int, listening: socket.socket) -> None:
        self.host = host
        self.port = port
        self._socket: socket.socket | None = listening

    def open(self) -> int:
        """The socket's file descriptor, bound again after `close`; raises ConfigError when the port was taken."""
        if self._socket is None:
            self._socket = listen(self.host, self.port)
            if self._socket is None:
                raise ConfigError(f"Port {self.port} is taken{port_holder(self.port)}.", hint="Stop it first.")
        return self._socket.fileno()

    def close(self) -> None:
        """Closes the socket and releases the port."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def claim_web_port(host: str, explicit: int, remembered: int | None) -> WebListener:
    """Listens on the explicit port, else on the remembered one, the usual one, or the next free one.

    Raises ConfigError that names the holder when an explicit port is taken.
    """
    if explicit:
        listening = listen(host, explicit)
        if listening is None:
            raise ConfigError(
                f"Port {explicit} is taken{port_holder(explicit)}.", hint="Stop it, or choose another --port."
            )
        return WebListener(host, explicit, listening)
    usual = USUAL_PORTS["web"]
    for port in [*([remembered] if remembered else []), *range(usual, usual + SEARCH_WIDTH)]:
        if (listening := listen(host, port)) is not None:
            return WebListener(host, port, listening)
    raise RuntimeUnavailable(f"No free port between {usual} and {usual + SEARCH_WIDTH} on {host}.")


def require_grpc_port(host: str, port: int) -> None:
    """Raises ConfigError that names the holder when the port of OTLP over gRPC is taken."""
    if not is_free(host, port):
        raise ConfigError(
            f"Port {port} for OTLP over gRPC is taken{port_holder(port)}.",
            hint="Stop it, or choose another --otlp-grpc-port.",
        )


def listen(host: str, port: int) -> socket.socket | None:
    """A socket that listens on `host:port`, None when the port is taken; raises ConfigError for an unusable host."""
    if not is_free(host, port):
        return None
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    with contextlib.ExitStack() as stack:
        listening = stack.enter_context(socket.socket(family, kind, protocol))
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Connections inherit it. The web server takes a socket that it was given for a pipe and does not set it, and
        # then the body of each answer waits 40 ms for the receipt of its head.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            listening.bind(address)
            listening.listen(_BACKLOG)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:  # another program was faster
                return None
            raise ConfigError(f"{host}:{port} cannot be listened on: {error.strerror}.") from error
        stack.pop_all()
    return listening
