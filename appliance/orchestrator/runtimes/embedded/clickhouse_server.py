"""A ClickHouse server from chdb's library: `python -m ...clickhouse_server RUN_DIR`, the folder of its configuration.

The library's local session reads config.xml in its working directory, and a statement makes it listen. It serves while
its last statement runs, which reads a pipe that this process keeps open until it is asked to stop.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from types import FrameType

DATABASE = "langfuse"
_LONGEST_STOP_S = 12.0
_HOUR_US = 3_600_000_000


def main(run_dir: Path) -> int:
    """Serves until SIGTERM or SIGINT; 0 after a clean stop, 1 when the engine ended by itself."""
    stop = threading.Event()

    def ask_to_stop(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    for signal_number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signal_number, ask_to_stop)
    os.chdir(run_dir)
    reading, writing = os.pipe()
    problems: list[str] = []
    engine = threading.Thread(target=_serve, args=(reading, stop, problems), daemon=True)
    engine.start()
    stop.wait()
    os.close(writing)
    engine.join(_LONGEST_STOP_S)
    for problem in problems:
        print(problem, file=sys.stderr, flush=True)
    return 1 if problems or engine.is_alive() else 0


def _serve(keep: int, stop: threading.Event, problems: list[str]) -> None:
    from chdb import _chdb  # 0.3 s: a library of 555 MB

    # Relative, since the library treats a backslash in its argument as an escape.
    data = os.path.relpath(ElementTree.parse("config.xml").findtext("path", ""))
    statements = (
        f"CREATE DATABASE IF NOT EXISTS {DATABASE}",
        "SYSTEM START LISTEN HTTP",
        # Reporting its progress would wake it up ten times a second.
        f"SELECT * FROM file({keep}, 'LineAsString', 'line String') "
        f"SETTINGS interactive_delay = {_HOUR_US} FORMAT Null",
    )
    try:
        result = _chdb.query(";\n".join(statements), "TabSeparated", path=data)  # type: ignore[attr-defined]
        if result.has_error():
            problems.append(result.error_message())
    except RuntimeError as error:
        problems.append(str(error))
    finally:
        if not stop.is_set():
            problems.append("The engine ended by itself.")
        stop.set()


if __name__ == "__main__":
    code = main(Path(sys.argv[1]))
    sys.stderr.flush()
    os._exit(code)  # the library's own exit handlers may hang
