"""A root file system as a tar archive, made from programs of this machine and the shared libraries they need."""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import tarfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO

_TOOLS = (
    *(
        "bash",
        "cat",
        "chmod",
        "chown",
        "cp",
        "curl",
        "cut",
        "date",
        "dash",
        "df",
        "echo",
        "env",
        "find",
        "grep",
        "head",
    ),
    *("hostname", "id", "kill", "ls", "mkdir", "mktemp", "mv", "ps", "rm", "sed", "setpriv", "sleep", "sort", "stat"),
    *("tail", "test", "touch", "true", "wc", "wget"),
)
_FOLDERS = (
    *("usr", "usr/bin", "usr/sbin", "usr/lib", "usr/lib64", "usr/local", "usr/local/bin"),
    *("etc", "var", "var/lib", "run", "root", "proc", "dev", "sys"),
)


class RootFs:
    """Collects files into an archive; `finish` adds the libraries and the accounts."""

    def __init__(self, target: IO[bytes]) -> None:
        self._tar = tarfile.open(fileobj=target, mode="w|", bufsize=1 << 20)  # noqa: SIM115 - finish() closes it
        self._seen: set[str] = set()
        self._binaries: list[Path] = []
        for folder in _FOLDERS:
            self.folder(folder)
        self.folder("tmp", mode=0o1777)
        for name in ("bin", "sbin", "lib", "lib64"):
            self.link(name, f"usr/{name}")
        self.link("var/run", "/run")
        self.link("usr/bin/sh", "dash")
        for tool in _TOOLS:
            self.program(tool)

    def folder(self, name: str, *, mode: int = 0o755, uid: int = 0) -> None:
        self._tar.addfile(_info(name, tarfile.DIRTYPE, mode, uid))

    def link(self, name: str, target: str) -> None:
        info = _info(name, tarfile.SYMTYPE, 0o777)
        info.linkname = target
        self._tar.addfile(info)

    def text(self, name: str, text: str, *, mode: int = 0o644) -> None:
        info, content = _info(name, tarfile.REGTYPE, mode), text.encode()
        info.size = len(content)
        self._tar.addfile(info, io.BytesIO(content))

    def file(self, source: Path, name: str | None = None) -> None:
        """A copy of a file, links followed, where it is here or at `name`."""
        inside = _merged(name or str(source)).lstrip("/")
        if inside in self._seen or not source.is_file():
            return
        self._seen.add(inside)
        facts = source.stat()
        info = _info(inside, tarfile.REGTYPE, facts.st_mode & 0o7777)
        info.size = facts.st_size
        with source.open("rb") as content:
            self._tar.addfile(info, content)

    def program(self, name: str) -> None:
        """A program from the system's folders together with what it is linked with; missing ones are left out."""
        if found := shutil.which(name, path="/usr/sbin:/usr/bin:/sbin:/bin"):
            self.binary(Path(found))

    def binary(self, source: Path, name: str | None = None) -> None:
        """A program or library whose own libraries come along."""
        self.file(source, name)
        self._binaries.append(source)

    def tree(self, top: Path, *, name: str | None = None, leave_out: Callable[[str], bool] = lambda _: False) -> None:
        for folder, _, files in os.walk(top, followlinks=True):
            for file in files:
                path = Path(folder, file)
                if not leave_out(str(path)):
                    self.file(path, f"{name}/{path.relative_to(top)}" if name else None)

    def finish(self, accounts: Iterable[tuple[str, int]]) -> None:
        """Adds the libraries and `accounts` (name and id of user and group), and ends the archive."""
        for library in _libraries(self._binaries):
            self.file(library)
        self.tree(Path("/usr/lib/locale/C.utf8"))
        accounts = [("root", 0), *accounts]
        self.text("etc/passwd", "".join(f"{name}:x:{number}:{number}::/tmp:/bin/sh\n" for name, number in accounts))
        self.text("etc/group", "".join(f"{name}:x:{number}:\n" for name, number in accounts))
        self.text("etc/nsswitch.conf", "hosts: files dns\n")
        self._tar.close()


def _info(name: str, kind: bytes, mode: int, uid: int = 0) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.mode, info.uid, info.gid = kind, mode, uid, uid
    return info


def _merged(path: str) -> str:
    return "/usr" + path if path.startswith(("/bin/", "/sbin/", "/lib/", "/lib64/")) else path


def _libraries(binaries: list[Path]) -> list[Path]:
    said = subprocess.run(["ldd", *map(str, binaries)], capture_output=True, text=True, check=False).stdout
    return sorted({Path(found) for found in re.findall(r"(/\S+\.so\S*) \(0x", said)})
