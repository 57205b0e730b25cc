"""Logging of our own processes: lines on stderr, which the supervisor or the container keeps."""

from __future__ import annotations

import logging
import sys
import time
import traceback
from types import TracebackType

from appliance.config import LogLevel

_LEVELS: dict[LogLevel, int] = {
    "trace": logging.DEBUG,
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warn": logging.WARNING,
    "error": logging.ERROR,
    "fatal": logging.CRITICAL,
}
# Their INFO records are for debugging.
_CHATTY = ("clickhouse_connect", "psycopg.pool")


class WithoutValues(logging.Formatter):
    """Logs errors with their traceback and type but without their message, which may quote users' data."""

    def formatException(  # noqa: N802 (the name is the library's)
        self, ei: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
    ) -> str:
        return "\n".join(_lines_of(ei[1])) if ei[1] is not None else ""


def _lines_of(error: BaseException) -> list[str]:
    lines: list[str] = []
    seen: set[int] = set()
    following: BaseException | None = error
    while following is not None and id(following) not in seen:
        seen.add(id(following))
        frames = traceback.StackSummary.extract(traceback.walk_tb(following.__traceback__)).format()
        lines[:0] = ["Traceback (most recent call last):", *"".join(frames).splitlines(), _name_of(following)]
        cause = None if following.__suppress_context__ else following.__context__
        following = following.__cause__ or cause
        if following is not None:
            lines.insert(0, "The above was followed by:")
    return lines


def _name_of(error: BaseException) -> str:
    kind = type(error)
    return f"{kind.__module__}.{kind.__qualname__}"


def log_to_stderr(level: LogLevel) -> None:
    """Logs records of `level` and above to stderr, with times in UTC."""
    handler = logging.StreamHandler(sys.stderr)
    form = WithoutValues("%(asctime)s.%(msecs)03dZ %(levelname)s %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%S")
    form.converter = time.gmtime
    handler.setFormatter(form)
    logging.basicConfig(level=_LEVELS[level], handlers=[handler], force=True)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
