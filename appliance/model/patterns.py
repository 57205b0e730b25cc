"""Regular expressions that users write: checked when they are stored, bounded when they run."""

from __future__ import annotations

import logging
from functools import lru_cache
from typing import Final

import regex

log = logging.getLogger(__name__)

_MAX_CHARS: Final = 1_000
"""Texts are compared by so many characters; no model has a longer name."""
_MAX_S: Final = 0.05


class BadPattern(ValueError):
    """The text is not a regular expression; the message says why."""


@lru_cache(maxsize=4096)
def compiled(pattern: str, *, ignore_case: bool = False) -> regex.Pattern[str]:
    """The pattern ready for use; raises BadPattern.

    The syntax is Python's with what Postgres knows beside it: `[[:alpha:]]`, `\\m` and `\\M`.
    """
    try:
        return regex.compile(pattern, regex.VERSION0 | (regex.IGNORECASE if ignore_case else 0))
    except (regex.error, OverflowError, RecursionError) as error:
        raise BadPattern(f"{pattern!r} is not a regular expression: {error}") from error


def found_in(pattern: str, text: str, *, ignore_case: bool = False) -> bool:
    """Whether the pattern matches somewhere in the text; no, when it is none or takes longer than 50 ms."""
    try:
        return compiled(pattern, ignore_case=ignore_case).search(text[:_MAX_CHARS], timeout=_MAX_S) is not None
    except TimeoutError:
        log.warning("The pattern %s takes too long on %r and counts as not matching", pattern, text[:100])
        return False
    except BadPattern as error:
        log.warning("%s", error)
        return False
