"""The health checks of web and worker inside their containers: `healthcheck.py web` or `healthcheck.py worker NAME`.

Only the standard library and few of its modules, because it runs again and again.
"""

from __future__ import annotations

import os
import socket
import sys
from urllib.parse import unquote, urlsplit

TIMEOUT_S = 4


def ask(host: str, port: int, request: bytes, *, tls: bool = False) -> bytes:
    """All that a server answers until it closes; raises OSError."""
    with socket.create_connection((host, port), TIMEOUT_S) as plain:
        if not tls:
            return talk(plain, request)
        import ssl

        with ssl.create_default_context().wrap_socket(plain, server_hostname=host) as secure:
            return talk(secure, request)


def talk(connection: socket.socket, request: bytes) -> bytes:
    """Sends a request and reads to the end; raises OSError."""
    connection.sendall(request)
    answer = b""
    while more := connection.recv(4096):
        answer += more
    return answer


def is_web_healthy(port: int = 3000) -> bool:
    """Whether web says that data flows."""
    answer = ask("127.0.0.1", port, b"GET /api/public/health HTTP/1.0\r\nHost: localhost\r\n\r\n")
    return answer.split(None, 2)[1:2] == [b"200"]


def is_worker_healthy(name: str, redis_url: str) -> bool:
    """Whether the worker's heartbeat in Redis is alive."""
    url = urlsplit(redis_url)
    login = ["AUTH", *([unquote(url.username)] if url.username else []), unquote(url.password or "")]
    commands = [*([login] if url.password else []), ["EXISTS", f"{{langfuse}}:worker:{name}"], ["QUIT"]]
    request = b"".join(encoded(words) for words in commands)
    answer = ask(url.hostname or "localhost", url.port or 6379, request, tls=url.scheme == "rediss")
    return b":1\r\n" in answer


def encoded(words: list[str]) -> bytes:
    """A command of the Redis protocol."""
    parts = (f"${len(word.encode())}\r\n{word}\r\n" for word in words)
    return f"*{len(words)}\r\n{''.join(parts)}".encode()


def redis_address() -> str:
    """What the environment says, itself or by a file."""
    if given := os.environ.get("REDIS_CONNECTION_STRING"):
        return given
    if "REDIS_CONNECTION_STRING_FILE" not in os.environ:
        return ""
    with open(os.environ["REDIS_CONNECTION_STRING_FILE"]) as file:  # noqa: PTH123 - pathlib takes long to import
        return file.read().strip()


def is_simple(address: str) -> bool:
    """Whether these few lines can ask there: one server, and no certificates of one's own."""
    special = ("REDIS_TLS_CA_PATH", "REDIS_TLS_CERT_PATH", "REDIS_TLS_SERVERNAME", "REDIS_CLUSTER_NODES")
    is_cluster = os.environ.get("REDIS_CLUSTER_ENABLED", "").lower() in ("true", "1", "yes")
    return address.startswith(("redis://", "rediss://")) and not is_cluster and not any(map(os.environ.get, special))


def main() -> int:
    """0 when healthy, 1 when not."""
    try:
        if sys.argv[1] != "web" and not is_simple(redis_address()):
            os.execv(
                sys.executable, [sys.executable, "-P", "-m", "appliance.storage.redis.worker_healthcheck", sys.argv[2]]
            )
        healthy = is_web_healthy() if sys.argv[1] == "web" else is_worker_healthy(sys.argv[2], redis_address())
    except OSError as error:
        print(error, file=sys.stderr)  # noqa: T201 - Docker shows it with the container's health
        return 1
    return 0 if healthy else 1


if __name__ == "__main__":
    sys.exit(main())
