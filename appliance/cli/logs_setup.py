"""How our own processes log: lines on stderr, which the supervisor or the container keeps."""

from __future__ import annotations

import logging
import sys
import time

from appliance.config import LogLevel

_LEVELS: dict[LogLevel, int] = {
    "trace": logging.DEBUG,
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warn": logging.WARNING,
    "error": logging.ERROR,
    "fatal": logging.CRITICAL,
}
# These say at INFO what only their authors want to know.
_CHATTY = ("httpx", "httpcore", "clickhouse_connect", "psycopg.pool")


def log_to_stderr(level: LogLevel) -> None:
    """Sends records of `level` and above to stderr, in UTC."""
    handler = logging.StreamHandler(sys.stderr)
    form = logging.Formatter("%(asctime)s.%(msecs)03dZ %(levelname)s %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%S")
    form.converter = time.gmtime
    handler.setFormatter(form)
    logging.basicConfig(level=_LEVELS[level], handlers=[handler], force=True)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
