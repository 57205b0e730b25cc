"""The pages of a long list that are here, the rows that came in live above them, and what is still missing; pure."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Final, Generic, TypeVar

T = TypeVar("T")

MOST_PAGES: Final = 200


class PagedRows(Generic[T]):
    """Rows by index: first the live ones, then pages of a list that stands still."""

    def __init__(self, page_rows: int, key: Callable[[T], str]) -> None:
        self._size = page_rows
        self._key = key
        self._pages: OrderedDict[int, list[T]] = OrderedDict()
        self._head: list[T] = []
        self._total = 0
        self.requested: set[int] = set()
        """Pages that are being fetched."""

    def __len__(self) -> int:
        return len(self._head) + self._total

    def clear(self) -> None:
        """Forgets everything."""
        self._pages.clear()
        self._head.clear()
        self.requested.clear()
        self._total = 0

    def get(self, index: int) -> T | None:
        """A row, or None while its page is not here."""
        if index < len(self._head):
            return self._head[index]
        index -= len(self._head)
        rows = self._pages.get(index // self._size + 1)
        return rows[index % self._size] if rows is not None and index % self._size < len(rows) else None

    def put_page(self, page: int, rows: list[T], total: int | None) -> None:
        """Stores a page (from 1); without a total the list grows by a page as long as pages are full."""
        self.requested.discard(page)
        self._pages[page] = rows
        self._pages.move_to_end(page)
        if total is None:
            known = (page - 1) * self._size + len(rows)
            total = max(self._total, known + (self._size if len(rows) == self._size else 0))
        self._total = total
        while len(self._pages) > MOST_PAGES:
            self._pages.popitem(last=False)

    def missing(self, first: int, last: int, *, ahead: int) -> list[int]:
        """Pages that rows `first` to `last` need, and one further when they come near its edge; not those under way."""
        low = max(first - len(self._head) - ahead, 0) // self._size + 1
        high = max(min(last + ahead, len(self)) - len(self._head) - 1, 0) // self._size + 1
        pages = [page for page in range(low, high + 1) if page not in self._pages and page not in self.requested]
        return pages if self._total else []

    def merge_live(self, rows: list[T]) -> int:
        """Puts new rows above all others and replaces known ones; returns how many were new."""
        fresh = [row for row in rows if not self.replace(row)]
        self._head = fresh + self._head
        return len(fresh)

    def replace(self, row: T) -> bool:
        """Replaces the row with the same key where it is here."""
        wanted = self._key(row)
        for rows in (self._head, *self._pages.values()):
            for index, known in enumerate(rows):
                if self._key(known) == wanted:
                    rows[index] = row
                    return True
        return False

    def find(self, key: str) -> T | None:
        """The row with a key, where it is here."""
        return next(
            (row for rows in (self._head, *self._pages.values()) for row in rows if self._key(row) == key), None
        )
