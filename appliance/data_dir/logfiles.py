"""Log files, one per service: written and rotated by size, read from the end, followed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO

from appliance.data_dir.private_files import open_log
from appliance.model.printable import printable

MAX_BYTES = 10 * 1024 * 1024
KEPT_FILES = 3
_TAIL_CHUNK = 64 * 1024


class RotatingLog:
    """Appends to a file and moves it to `.1`, `.2` ... once it is full."""

    def __init__(self, path: Path, max_bytes: int = MAX_BYTES, kept: int = KEPT_FILES) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._kept = kept
        self._file = os.fdopen(open_log(path), "ab", buffering=0)
        self._size = path.stat().st_size

    def write(self, data: bytes) -> None:
        """Appends `data`; raises OSError when the disk refuses it."""
        if self._size and self._size + len(data) > self._max_bytes:
            self._rotate()
        self._file.write(data)
        self._size += len(data)

    def close(self) -> None:
        self._file.close()

    def _rotate(self) -> None:
        self._file.close()
        for number in range(self._kept - 1, 0, -1):
            older = _numbered(self._path, number)
            newer = self._path if number == 1 else _numbered(self._path, number - 1)
            if newer.exists():
                newer.replace(older)
        self._file = os.fdopen(open_log(self._path), "ab", buffering=0)
        self._size = 0


class Echo:
    """Copies whole lines of a service to another stream, each with the service's name before it.

    Control characters are replaced, since the stream may be a terminal.
    """

    def __init__(self, name: str, target: BinaryIO) -> None:
        self._name = name.encode() + b" | "
        self._target = target
        self._rest = b""

    def write(self, data: bytes) -> None:
        """Takes the next output of the service; raises OSError."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > _TAIL_CHUNK:
            lines, self._rest = [*lines, self._rest], b""
        if lines:
            printable_lines = [printable(line.decode(errors="replace"), keep="\t").encode() for line in lines]
            self._target.write(b"".join(self._name + line + b"\n" for line in printable_lines))
            self._target.flush()


def _numbered(path: Path, number: int) -> Path:
    return path.with_name(f"{path.name}.{number}")


def last_lines(path: Path, count: int) -> list[str]:
    """The last `count` lines of a log, oldest first; reads on in the rotated file when needed."""
    lines = _tail(path, count)
    if len(lines) < count:
        lines = _tail(_numbered(path, 1), count - len(lines)) + lines
    return lines


def size_of(path: Path) -> int:
    """Bytes of a log, 0 when there is none."""
    return path.stat().st_size if path.exists() else 0


def lines_since(path: Path, size: int) -> list[str]:
    """The lines appended since the log had this size in bytes; all lines when it was rotated meanwhile."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return []
    return data[size if size <= len(data) else 0 :].decode(errors="replace").splitlines()


class LogFollower:
    """Reads the lines that are appended to a log from now on."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._position = size_of(path)

    def new_lines(self) -> list[str]:
        """The whole lines since the last call; after a rotation, those of the new file."""
        size = size_of(self._path)
        if size < self._position:
            self._position = 0
        if size == self._position:
            return []
        with self._path.open("rb") as file:
            file.seek(self._position)
            data = file.read(size - self._position)
        whole = data[: data.rfind(b"\n") + 1]
        self._position += len(whole)
        return whole.decode(errors="replace").split("\n")[:-1]


def _tail(path: Path, count: int) -> list[str]:
    if count <= 0:
        return []
    try:
        with path.open("rb") as file:
            position = file.seek(0, os.SEEK_END)
            data = b""
            while position > 0 and data.count(b"\n") <= count:
                step = min(_TAIL_CHUNK, position)
                position -= step
                file.seek(position)
                data = file.read(step) + data
    except FileNotFoundError:
        return []
    # Only at line feeds: users' texts may hold Unicode's other line breaks.
    return data.decode(errors="replace").removesuffix("\n").split("\n")[-count:] if data else []
