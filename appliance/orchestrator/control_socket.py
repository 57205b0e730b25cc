"""The control socket: its path, opening it for its owner only, and the request to stop."""

from __future__ import annotations

import contextlib
import os
import socket
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from appliance.errors import StartFailed
from appliance.orchestrator.host import socket_paths
from appliance.paths import DataDir

_NAME = "control.sock"
_ANSWER_S = 2.0


def choose_socket_path(data_dir: DataDir) -> Path:
    """The path for the control socket; raises StartFailed when no folder has a short enough one."""
    return socket_paths.choose_socket_path(data_dir.run, _NAME)


def remove_socket(path: Path, data_dir: DataDir) -> None:
    """Removes the socket, and the folder that `choose_socket_path` made for it."""
    if path.name == _NAME:
        socket_paths.remove_socket(path, data_dir.run)


def request_stop(path: str | None) -> bool:
    """Asks the supervisor at this socket to stop; False when it did not accept: it is starting, or hangs.

    A supervisor that is asked exits with code 0, where a signal would make it 143.
    """
    if path is None:
        return False
    connection = HTTPConnection("supervisor", timeout=_ANSWER_S)
    with contextlib.closing(connection), contextlib.suppress(OSError, HTTPException):
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.settimeout(_ANSWER_S)
        connection.sock.connect(path)
        connection.request("POST", "/down")
        return connection.getresponse().status == HTTPStatus.ACCEPTED
    return False


def open_control_socket(path: Path) -> socket.socket:
    """Listens on a socket that only this user can open; raises StartFailed."""
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    before = os.umask(0o177)
    try:
        listener.bind(str(path))
    except OSError as error:
        raise StartFailed(f"The control socket {path} cannot be created: {error.strerror or error}.") from error
    finally:
        os.umask(before)
    listener.listen(64)
    return listener
