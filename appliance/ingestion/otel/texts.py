"""The texts within values, to tell whether a value has a text that others lack."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from appliance.ingestion.json_text import parse_or_keep

_MAX_DEPTH: Final = 16
_LABELS: Final = frozenset({"role", "type", "finish_reason", "id", "name", "event.name", "mime_type", "object"})
"""Keys whose values differ between conventions."""
_MOST_CHARS: Final = 64_000_000
_COST_OF_A_LOOK: Final = 100
"""Characters that are compared in the time of one comparison that succeeds at once."""


class Texts:
    """The texts and numbers of some values; labels such as roles do not count.

    Comparing takes time that grows with both sides. Once all comparisons together have read `most_chars`
    characters, every further value counts as one that adds a text, so that nothing is lost.
    """

    def __init__(self, first: Any, most_chars: int = _MOST_CHARS) -> None:
        self._left = most_chars
        self._whole: set[str] = set()
        self._joined = ""
        self._place = 0
        self._take(first)

    def takes(self, value: Any) -> bool:
        """Whether the value has a text that is not among these; then its texts are added."""
        if value in ("", [], {}):
            return False
        if self._left <= 0:
            return True
        texts = list(_texts(value))
        self._left -= sum(map(len, texts))
        if all(self._has(text) for text in texts):
            return False
        self._take(value)
        return True

    def _take(self, value: Any) -> None:
        texts = list(_texts(value))
        self._whole.update(texts)
        self._joined = "\n".join([self._joined, *texts])
        self._left -= len(self._joined)

    def _has(self, text: str) -> bool:
        """Whether the text equals or is within one of these, and does not begin or end inside a word there."""
        if not text or text in self._whole:
            return True
        # Most values have their texts in the same order, so the search continues behind the last match.
        ends = len(self._joined)
        return self._has_between(text, self._place, ends) or self._has_between(text, 0, self._place + len(text))

    def _has_between(self, text: str, start: int, end: int) -> bool:
        while self._left > 0:
            place = self._joined.find(text, start, end)
            self._left -= _COST_OF_A_LOOK + (place if place >= 0 else min(end, len(self._joined))) - start
            if place < 0:
                return False
            if not self._is_within_word(place, place + len(text)):
                self._place = place + len(text)
                return True
            start = place + 1
        return False

    def _is_within_word(self, start: int, end: int) -> bool:
        before, after = self._joined[start - 1 : start + 1], self._joined[end - 1 : end + 1]
        return any(len(pair) > 1 and pair.isalnum() and pair.isascii() for pair in (before, after))


def _texts(value: Any, depth: int = 0) -> Iterator[str]:
    """The leaves of a value, also of JSON that is written as a text; without escapes, as a `repr` has its own."""
    if depth > _MAX_DEPTH:
        return
    if isinstance(value, str):
        parsed = parse_or_keep(value) if value[:1] in ("{", "[", '"') else value
        if parsed == value:
            yield value.replace("\\n", " ").replace("\n", " ").replace("\\", "").strip()
        else:
            yield from _texts(parsed, depth + 1)
    elif isinstance(value, dict):
        for key, item in value.items():
            if key not in _LABELS:
                yield from _texts(item, depth + 1)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _texts(item, depth + 1)
    elif value is not None and not isinstance(value, bool):
        yield str(value)
