"""ClickHouse out of the chdb engine, with the official image's contract: variables, config.d, paths, signals."""

from __future__ import annotations

import hashlib
import os
import signal
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

DATA = Path("/var/lib/clickhouse")
RUN = Path("/run/clickhouse")
CONFIG_D = Path("/etc/clickhouse-server/config.d")
USER = os.environ.get("CLICKHOUSE_USER") or "default"
DATABASE = os.environ.get("CLICKHOUSE_DB") or "default"


def configuration() -> str:
    """config.xml with the files of config.d merged into it, as the server itself does."""
    root = ElementTree.fromstring(
        f"<clickhouse><listen_host>0.0.0.0</listen_host><http_port>8123</http_port><path>{DATA}/</path>"
        f"<users_config>{RUN}/users.xml</users_config><default_profile>default</default_profile></clickhouse>"
    )
    for file in sorted(CONFIG_D.glob("*.xml")):
        for element in ElementTree.parse(file).getroot():
            if element.get("remove") is None and element.tag != "logger":
                root.append(element)
    return ElementTree.tostring(root, encoding="unicode")


def password() -> str:
    """As the official image has it: a file wins."""
    file = os.environ.get("CLICKHOUSE_PASSWORD_FILE", "")
    return Path(file).read_text().strip() if file else os.environ["CLICKHOUSE_PASSWORD"]


def users() -> str:
    """One user by password; `default`, which the engine itself is, comes only from inside the container."""
    digest = hashlib.sha256(password().encode()).hexdigest()
    rights = "<profile>default</profile><quota>default</quota><access_management>1</access_management>"
    return (
        "<clickhouse><profiles><default/></profiles><quotas><default/></quotas><users>"
        f"<default><password></password><networks><ip>127.0.0.1</ip></networks>{rights}</default>"
        f"<{USER}><password_sha256_hex>{digest}</password_sha256_hex><networks><ip>::/0</ip></networks>{rights}</{USER}>"
        "</users></clickhouse>"
    )


def serve(pipe: Path, ended: threading.Event) -> None:
    """Runs the engine until the pipe closes."""
    from chdb import _chdb

    query: Any = getattr(_chdb, "query")  # noqa: B009 - the extension module has no types

    statements = (
        f"CREATE DATABASE IF NOT EXISTS `{DATABASE}`",
        "SYSTEM START LISTEN HTTP",
        f"SELECT * FROM file('{pipe}', 'LineAsString', 'line String') FORMAT Null",
    )
    try:
        result = query(";\n".join(statements), "TabSeparated", path=str(DATA))
        if result.has_error():
            print(result.error_message(), file=sys.stderr)
    finally:
        ended.set()


def announce() -> None:
    """Says when connections are taken."""
    while True:
        try:
            with urllib.request.urlopen("http://127.0.0.1:8123/ping", timeout=1):
                print("Ready for connections.", flush=True)
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)


def main() -> None:
    RUN.mkdir(exist_ok=True)
    os.chdir(RUN)
    Path("config.xml").write_text(configuration())
    Path("users.xml").write_text(users())
    pipe = RUN / "keep"
    pipe.unlink(missing_ok=True)
    os.mkfifo(pipe)
    ended, stopping = threading.Event(), threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    engine = threading.Thread(target=serve, args=(pipe, ended), daemon=True)
    engine.start()
    threading.Thread(target=announce, daemon=True).start()
    holder = os.open(pipe, os.O_RDWR | os.O_NONBLOCK)
    while not stopping.is_set() and not ended.is_set():
        stopping.wait(0.2)
    os.close(holder)
    engine.join(20)
    sys.stdout.flush()
    os._exit(0 if stopping.is_set() and not engine.is_alive() else 1)


if __name__ == "__main__":
    main()
