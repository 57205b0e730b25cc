"""A ClickHouse server out of chdb's library: `python -m ...clickhouse_server RUN_DIR`, where its configuration lies.

The library's own local session reads config.xml in its working directory and can be told to listen. It serves as long
as its last statement runs; that statement reads a FIFO which this process holds open until it is asked to stop.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
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
    keep = run_dir / "keep"
    keep.unlink(missing_ok=True)
    os.mkfifo(keep, 0o600)
    problems: list[str] = []
    engine = threading.Thread(target=_serve, args=(keep, stop, problems), daemon=True)
    engine.start()
    # Opened for both ways, so that neither side waits for the other.
    held = os.open(keep, os.O_RDWR | os.O_NONBLOCK)
    stop.wait()
    os.close(held)
    _let_end(engine, keep)
    for problem in problems:
        print(problem, file=sys.stderr, flush=True)
    return 1 if problems or engine.is_alive() else 0


def _let_end(engine: threading.Thread, keep: Path) -> None:
    """Waits for the engine; one that was still starting opens the FIFO only now, and would wait for a writer."""
    deadline = time.monotonic() + _LONGEST_STOP_S
    while engine.is_alive() and time.monotonic() < deadline:
        with contextlib.suppress(OSError):  # ENXIO: nobody reads it yet
            os.close(os.open(keep, os.O_WRONLY | os.O_NONBLOCK))
        engine.join(0.02)


def _serve(keep: Path, stop: threading.Event, problems: list[str]) -> None:
    from chdb import _chdb  # 0.3 s: a library of 555 MB

    data = ElementTree.parse("config.xml").findtext("path", "")
    statements = (
        f"CREATE DATABASE IF NOT EXISTS {DATABASE}",
        "SYSTEM START LISTEN HTTP",
        # Telling of its progress, it would wake up ten times a second.
        f"SELECT * FROM file('{keep}', 'LineAsString', 'line String') "
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
