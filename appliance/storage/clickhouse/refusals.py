"""Sorts ClickHouse's errors: rows that can never be stored, errors that pass with time, and unknown ones."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import aiohttp
from clickhouse_connect.driver.exceptions import DatabaseError, Error, OperationalError

from appliance.errors import QueryTooExpensive, StoreRefused, StoreUnavailable, TooMuchAtOnce, Undecodable

NAME: Final = "ClickHouse"

# All numbers are those of ClickHouse's error table (`errorCodeToName`).
_NO_MEMORY: Final = 241
# Time, rows, bytes and memory limits of one query, and those of its text: depth, size, recursion.
_TOO_EXPENSIVE: Final = frozenset({158, 159, 160, 167, 168, _NO_MEMORY, 306, 307, 396})
# Values that do not fit their columns; repeating the insert cannot help.
_BAD_VALUES: Final = frozenset({6, 26, 27, 33, 38, 41, 53, 69, 70, 72, 117, 131, 190, 349, 407, 441})
# Syntax and unknown columns or functions: bugs in our SQL, which no retry fixes.
_MISTAKES: Final = frozenset({36, 42, 43, 46, 47, 62, 115, 184, 215, 386, 456})
# Refusals of inserts that end by themselves, or when the server, its disk, its network or its grants are fixed.
_NETWORK: Final = (3, 23, 24, 32, 95, 96, 198, 203, 209, 210, 217, 279, 364, 410, 519)
_DISK: Final = (74, 75, 76, 77, 87, 88, 107, 172, 173, 204, 214, 243, 294, 425, 499, 500, 586, 641)
_TABLES_BEING_MADE: Final = (16, 60, 81, 218, 305, 733, 741)
_LOAD: Final = (158, 159, 160, 201, 202, 252, 290, 307, 341, 373, 394, 396, 439, 473, 574, 692)
_LIMITS: Final = (700, 735, 745, 749, 762, 763, 776, 777, 778, 904, 905)
_RIGHTS: Final = (164, 192, 193, 194, 195, 291, 452, 497, 516)
_REPLICAS: Final = (225, 234, 236, 242, 244, 254, 265, 285, 286, 289, 297, 319, 369, 384, 415, 416, 529, 659, 667, 999)
_QUOTED: Final = re.compile(r"(?<!\w)'(?:[^'\\]|\\.)+(?:'|$)|\"(?:[^\"\\]|\\.)+(?:\"|$)")
_PASSING: Final = frozenset(
    (*_NETWORK, *_DISK, *_TABLES_BEING_MADE, *_LOAD, *_LIMITS, *_RIGHTS, *_REPLICAS),
)


@contextmanager
def translated(*, inserting: bool = False) -> Iterator[None]:
    """Translates the errors of the driver; bugs in our SQL stay as they are."""
    try:
        yield
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise StoreUnavailable(f"ClickHouse cannot be reached: {error or type(error).__name__}.", store=NAME) from error
    except Error as error:
        if error.code is None and isinstance(error, OperationalError):
            raise StoreUnavailable(f"ClickHouse cannot be reached: {_first_line(error)}", store=NAME) from error
        if inserting:
            raise _refused_insert(error) from error
        if error.code in _TOO_EXPENSIVE:
            raise QueryTooExpensive(
                "The query took too much time or memory.", hint="Ask for a shorter time range or fewer fields."
            ) from error
        if isinstance(error, DatabaseError) and error.code in _MISTAKES | _BAD_VALUES:
            raise
        raise StoreUnavailable(f"ClickHouse cannot do this now: {_first_line(error)}", store=NAME) from error


def _refused_insert(error: Error) -> Exception:
    # Quoted text comes from the rows, and must not end up in logs.
    code, words = error.code, _QUOTED.sub("'...'", _first_line(error))
    if code in _BAD_VALUES:
        return Undecodable(f"ClickHouse refused the rows: {words}")
    if code == _NO_MEMORY:
        return TooMuchAtOnce(f"ClickHouse has no memory for this: {words}", store=NAME)
    if code is None or code in _PASSING:  # an answer without a code comes from a proxy in between
        return StoreUnavailable(f"ClickHouse cannot do this now: {words}", store=NAME)
    return StoreRefused(f"ClickHouse refused the rows, for reasons unknown: {words}", store=NAME)


def _first_line(error: Exception) -> str:
    # The rest quotes the statement with its values.
    return str(error).strip().partition("\n")[0].partition(": In scope ")[0][:500]
