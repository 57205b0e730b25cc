"""Regular expressions that users write: checked when they are stored, bounded when they run.

Some patterns take for ever on some texts. One search may take a hundredth of a second of processor time, and all
searches of a process together have a budget that grows with their number. A pattern that takes more is set aside: it
matches nothing until the process ends.
"""

from __future__ import annotations

import itertools
import logging
import time
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Final

import regex

log = logging.getLogger(__name__)

_MAX_CHARS: Final = 1_000
"""Texts are compared by so many characters; no model has a longer name. Patterns may have as many."""
_MAX_S: Final = 0.01
"""Of processor time, for one search; an ordinary one takes some microseconds."""
_FREE_S: Final = 0.25
_PER_SEARCH_S: Final = 0.00005
"""The budget of all searches: so much at first, and so much more with each."""
_MAX_REMEMBERED: Final = 10_000

_CHECK_S: Final = 0.1
"""What the patterns of one request may take together while they are checked."""
_USUAL_CHARS: Final = 64
"""Length of the texts that patterns are checked with."""
_PROBED: Final = "aA0-./ "


class BadPattern(ValueError):
    """The text is not a regular expression, or none that can be used; the message says why."""


@lru_cache(maxsize=4096)
def compiled(pattern: str, *, ignore_case: bool = False) -> regex.Pattern[str]:
    """The pattern ready for use; raises BadPattern.

    The syntax is Python's with what Postgres knows beside it: `[[:alpha:]]`, `\\m` and `\\M`.
    """
    try:
        return regex.compile(pattern, regex.VERSION0 | (regex.IGNORECASE if ignore_case else 0))
    except (regex.error, OverflowError, RecursionError) as error:
        raise BadPattern(f"{pattern!r} is not a regular expression: {error}") from error


class Searches:
    """Searches that share one budget. `clock` tells the processor time of the thread, in seconds."""

    def __init__(self, clock: Callable[[], float] = time.thread_time) -> None:
        self._clock = clock
        self._count = 0
        self._spent: dict[str, float] = {}
        """Seconds by pattern, without those that are set aside."""
        self._spent_together = 0.0
        self.set_aside: set[str] = set()

    def found_in(self, pattern: str, text: str, *, ignore_case: bool = False) -> bool:
        """Whether the pattern matches somewhere in the text; no, when it is none, takes too long or is set aside."""
        if pattern in self.set_aside:
            return False
        began = self._clock()
        try:
            return compiled(pattern, ignore_case=ignore_case).search(text[:_MAX_CHARS], timeout=_MAX_S) is not None
        except TimeoutError:
            self._set_aside(pattern)
            return False
        except BadPattern as error:
            log.warning("%s", error)
            return False
        finally:
            self._charge(pattern, self._clock() - began)

    def _charge(self, pattern: str, seconds: float) -> None:
        if len(self._spent) >= _MAX_REMEMBERED:
            self._spent.clear()
            self._count, self._spent_together = 0, 0.0
        self._count += 1
        if pattern not in self.set_aside:
            self._spent[pattern] = self._spent.get(pattern, 0.0) + seconds
            self._spent_together += seconds
        while self._spent and self._spent_together > _FREE_S + _PER_SEARCH_S * self._count:
            self._set_aside(max(self._spent, key=self._spent.__getitem__))

    def _set_aside(self, pattern: str) -> None:
        self._spent_together -= self._spent.pop(pattern, 0.0)
        self.set_aside.add(pattern)
        log.warning("The pattern %.200s takes too long, so it is not used any more", pattern)


_searches: Final = Searches()
found_in: Final = _searches.found_in
"""As `Searches.found_in`, within the budget of this process."""


def patterns_set_aside() -> frozenset[str]:
    """The patterns that this process does not use any more."""
    return frozenset(_searches.set_aside)


def check_patterns(patterns: Iterable[str]) -> None:
    """Raises BadPattern for the first one that is no regular expression, is too long, or takes too long on some text.

    The texts are such as make patterns slow: one letter of the pattern again and again, then one that does not fit.
    """
    ends_at = time.thread_time() + _CHECK_S
    for pattern in patterns:
        if len(pattern) > _MAX_CHARS:
            raise BadPattern(f"A pattern has at most {_MAX_CHARS} characters")
        search = compiled(pattern).search
        try:
            for text in _slow_texts(pattern):
                search(text, timeout=_MAX_S)
                if time.thread_time() > ends_at:
                    raise TimeoutError
        except TimeoutError:
            raise BadPattern(f"{pattern!r} takes too long on some names") from None


def _slow_texts(pattern: str) -> Iterable[str]:
    letters = [*dict.fromkeys(letter for letter in pattern if letter.isalnum())][:16]
    known = [*dict.fromkeys([*letters, *_PROBED])]
    for letter in known:
        yield letter * _USUAL_CHARS + "\0"
    for first, second in itertools.pairwise(known):
        yield (first + second) * (_USUAL_CHARS // 2) + "\0"
    yield ("".join(known) * _USUAL_CHARS)[:_USUAL_CHARS] + "\0"
