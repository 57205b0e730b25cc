"""A record of which server wrote Redis' data, to know which others can read it and whether it was lost."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import msgspec

from appliance.data_dir.private_files import write_private

_RECORD = "written-by.json"
_HEADER = re.compile(rb"(redis|valkey)-ver.(\d+)\.(\d+)\.(\d+)", re.DOTALL)
_HEADER_BYTES = 200
_FIRST_OWN_FORMAT_OF_REDIS = (7, 4)
"""Valkey does not read the files of this Redis version and later."""
_FIRST_OWN_FORMAT_OF_VALKEY = (9,)
_REDIS_READS_VALKEY = (7, 2)


@dataclass(frozen=True, slots=True)
class Server:
    """A kind of server and its version."""

    name: str
    """`redis` or `valkey`."""
    version: tuple[int, ...]

    def __str__(self) -> str:
        return f"{self.name.capitalize()} {'.'.join(map(str, self.version))}"

    def reads(self, writer: Server) -> bool:
        """Whether it can read data that `writer` wrote; to an older server it may look empty."""
        if self.name == writer.name:
            return self.version >= writer.version
        if writer.name == "redis":
            return writer.version < _FIRST_OWN_FORMAT_OF_REDIS
        return writer.version < _FIRST_OWN_FORMAT_OF_VALKEY and self.version >= _REDIS_READS_VALKEY


class Record(msgspec.Struct, frozen=True):
    """The file beside the data."""

    server: str
    version: tuple[int, ...]
    mark: str = ""
    """The value of a key that is stored with the data; empty before it is."""

    @property
    def writer(self) -> Server:
        return Server(self.server, self.version)


def read_record(folder: Path) -> Record | None:
    """The record, else derived from the data (version 0.1 wrote no record); None without data."""
    try:
        return msgspec.json.decode((folder / _RECORD).read_bytes(), type=Record)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        pass
    for base in sorted((folder / "appendonlydir").glob("*.base.rdb"), reverse=True):
        with base.open("rb") as file:
            if match := _HEADER.search(file.read(_HEADER_BYTES)):
                name, *numbers = match.groups()
                return Record(name.decode(), tuple(map(int, numbers)))
    if (folder / "appendonlydir").is_dir():  # which came with 7.0
        return Record("redis", (7, 0, 0))
    return Record("redis", (6, 2, 0)) if (folder / "appendonly.aof").exists() else None


def write_record(folder: Path, record: Record) -> None:
    """Stores the record; raises OSError."""
    write_private(folder / _RECORD, msgspec.json.encode(record).decode())
