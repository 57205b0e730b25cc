"""Stand-ins for images that cannot be pulled where these tests run: the same programs, out of Debian's packages.

They keep to the official images' contracts as far as the product relies on them: entry points, variables, paths, users.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO

import docker

from tests.integration.docker.standins.names import tag_of
from tests.integration.docker.standins.rootfs import RootFs

_HERE = Path(__file__).parent
_PATH = "ENV PATH=/usr/local/bin:/usr/bin:/usr/sbin"
_PYTHON = Path(os.path.realpath("/usr/bin/python3"))
_CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")


def python_base(target: IO[bytes]) -> list[str]:
    """In place of python:3.x-slim: Python with pip, which can fetch packages as this machine does."""
    root = RootFs(target)
    _add_python(root)
    pip = importlib.util.find_spec("pip")
    pip_folder = Path(pip.origin).parent if pip and pip.origin else Path("/usr/lib/python3/dist-packages/pip")
    root.tree(pip_folder, name="/usr/lib/python3/dist-packages/pip", leave_out=lambda path: "__pycache__" in path)
    root.file(_CERTIFICATES)
    root.tree(Path("/usr/share/zoneinfo"), leave_out=lambda path: "/right/" in path)
    root.finish([])
    return [_PATH, f"ENV PIP_CERT={_CERTIFICATES}", f"ENV SSL_CERT_FILE={_CERTIFICATES}", 'CMD ["python3"]']


def nginx(target: IO[bytes]) -> list[str]:
    """In place of nginx:1.x."""
    root = RootFs(target)
    for program in ("nginx", "openssl"):
        root.program(program)
    root.file(Path("/etc/ssl/openssl.cnf"))
    root.file(Path("/etc/ssl/openssl.cnf"), "/usr/lib/ssl/openssl.cnf")
    for folder in ("var/log", "var/log/nginx", "var/lib/nginx"):
        root.folder(folder)
    root.finish([("nginx", 101)])
    return [_PATH, "EXPOSE 80", 'CMD ["nginx", "-g", "daemon off;"]']


def postgres(target: IO[bytes]) -> list[str]:
    """In place of postgres:17, with the newest version that is installed here."""
    root = RootFs(target)
    home = max(Path("/usr/lib/postgresql").iterdir())
    for binary in (home / "bin").iterdir():
        root.binary(binary)
        root.link(f"usr/bin/{binary.name}", str(binary))
    root.tree(home / "lib", leave_out=lambda path: any(part in path for part in ("bitcode", "llvmjit", "pgxs")))
    root.tree(Path("/usr/share/postgresql", home.name), leave_out=lambda path: "/man/" in path)
    root.tree(Path("/usr/share/zoneinfo"), leave_out=lambda path: "/right/" in path)
    root.text("usr/local/bin/entrypoint", (_HERE / "postgres-entrypoint.sh").read_text(), mode=0o755)
    root.folder("var/lib/postgresql", uid=999)
    root.folder("var/lib/postgresql/data", mode=0o700, uid=999)
    root.folder("run/postgresql", mode=0o3777, uid=999)
    root.finish([("postgres", 999)])
    changes = ["ENV PGDATA=/var/lib/postgresql/data", "ENV LANG=C.utf8", "VOLUME /var/lib/postgresql/data"]
    return [_PATH, *changes, "EXPOSE 5432", 'ENTRYPOINT ["entrypoint"]', 'CMD ["postgres"]']


def redis(target: IO[bytes]) -> list[str]:
    """In place of redis:7."""
    root = RootFs(target)
    for program in ("redis-server", "redis-cli"):
        root.program(program)
    root.text("usr/local/bin/entrypoint", (_HERE / "redis-entrypoint.sh").read_text(), mode=0o755)
    root.folder("data", uid=999)
    root.finish([("redis", 999)])
    return [_PATH, "VOLUME /data", "WORKDIR /data", 'ENTRYPOINT ["entrypoint"]', 'CMD ["redis-server"]']


def clickhouse(target: IO[bytes]) -> list[str]:
    """In place of clickhouse/clickhouse-server: the real engine, out of the chdb-core package."""
    root = RootFs(target)
    _add_python(root)
    found = importlib.util.find_spec("chdb")
    if found is None or found.origin is None:
        raise FileNotFoundError("chdb-core is not installed")
    package = Path(found.origin).parent
    version = _PYTHON.name.removeprefix("python")
    for library in (f"libpybind11nonlimitedapi_chdb_{version}.so", "_chdb.abi3.so"):
        root.file(package / library, f"/opt/engine/chdb/{library}")
    stubs = "libpybind11nonlimitedapi_stubs.so"
    root.binary(package / stubs, f"/opt/engine/chdb/{stubs}")
    root.tree(package.parent / "chdb_core.libs", name="/opt/engine/chdb_core.libs")
    root.text("opt/engine/chdb/__init__.py", "")
    root.text("usr/local/bin/clickhouse_server.py", (_HERE / "clickhouse_server.py").read_text())
    root.tree(Path("/usr/share/zoneinfo"), leave_out=lambda path: "/right/" in path)
    root.folder("var/lib/clickhouse", uid=101)
    # A file system in memory takes its mode from here, but not its owner.
    root.folder("run/clickhouse", mode=0o777)
    root.finish([("clickhouse", 101)])
    changes = [
        "ENV PYTHONPATH=/opt/engine",
        "ENV PYTHONDONTWRITEBYTECODE=1",
        "VOLUME /var/lib/clickhouse",
        "EXPOSE 8123",
    ]
    return [_PATH, *changes, 'ENTRYPOINT ["python3", "/usr/local/bin/clickhouse_server.py"]']


def _add_python(root: RootFs) -> None:
    library = Path("/usr/lib", _PYTHON.name)
    root.binary(_PYTHON, "/usr/bin/python3")
    root.link("usr/bin/python", "python3")
    needless = ("/test/", "/idlelib/", "/lib2to3/", "/__pycache__/", "/tkinter/", "/sitecustomize")
    root.tree(library, leave_out=lambda path: any(part in path for part in needless))
    for module in (library / "lib-dynload").glob("*.so"):
        root.binary(module)
    # What wheels of compiled packages expect of every Linux.
    for name in ("libgcc_s.so.1", "libstdc++.so.6", "libpthread.so.0", "libdl.so.2", "librt.so.1", "libutil.so.1"):
        for found in Path("/lib").glob(f"*-linux-gnu/{name}"):
            root.file(found)


RECIPES: dict[str, Callable[[IO[bytes]], list[str]]] = {
    "postgres": postgres,
    "redis": redis,
    "clickhouse": clickhouse,
    "python": python_base,
    "nginx": nginx,
}


def build(name: str) -> str:
    """Makes one image anew; its name."""
    client = docker.from_env(timeout=300)
    with contextlib.closing(client), tempfile.NamedTemporaryFile(suffix=".tar") as archive:
        changes = RECIPES[name](archive)
        archive.flush()
        repository, tag = tag_of(name).split(":")
        client.api.import_image_from_file(archive.name, repository=repository, tag=tag, changes=changes)
    return tag_of(name)


if __name__ == "__main__":
    for wanted in sys.argv[1:] or RECIPES:
        print(build(wanted))
