"""The pages of a long list that are here, and which are still missing; pure."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Final, Generic, TypeVar

T = TypeVar("T")

MOST_PAGES: Final = 200


class PagedRows(Generic[T]):
    """Rows by index, in pages; a list that has changed comes as new pages in the place of all."""

    def __init__(self, page_rows: int, key: Callable[[T], str]) -> None:
        self.page_rows = page_rows
        self._key = key
        self._pages: OrderedDict[int, list[T]] = OrderedDict()
        self._total = 0
        self.requested: set[int] = set()
        """Pages that are being fetched."""

    def __len__(self) -> int:
        return self._total

    def clear(self) -> None:
        """Forgets everything."""
        self._pages.clear()
        self.requested.clear()
        self._total = 0

    def get(self, index: int) -> T | None:
        """A row, or None while its page is not here."""
        rows = self._pages.get(index // self.page_rows + 1)
        return rows[index % self.page_rows] if rows is not None and index % self.page_rows < len(rows) else None

    def put_page(self, page: int, rows: list[T], total: int | None) -> None:
        """Stores a page (from 1); without a total the list grows by a page as long as pages are full."""
        self.requested.discard(page)
        self._pages[page] = rows
        self._pages.move_to_end(page)
        if total is None:
            known = (page - 1) * self.page_rows + len(rows)
            total = max(self._total, known + (self.page_rows if len(rows) == self.page_rows else 0))
        self._total = total
        while len(self._pages) > MOST_PAGES:
            self._pages.popitem(last=False)

    def missing(self, first: int, last: int, *, ahead: int) -> list[int]:
        """Pages that rows `first` to `last` need, and one further when they come near its edge; not those under way."""
        low = max(first - ahead, 0) // self.page_rows + 1
        high = max(min(last + ahead, len(self)) - 1, 0) // self.page_rows + 1
        pages = [page for page in range(low, high + 1) if page not in self._pages and page not in self.requested]
        return pages if self._total else []

    def pages_of(self, first: int, last: int) -> range:
        """The numbers of the pages with rows `first` to `last`."""
        return range(max(first, 0) // self.page_rows + 1, max(last, 0) // self.page_rows + 2)

    def restart(self, pages: Mapping[int, list[T]], total: int | None) -> None:
        """Replaces everything by pages of the list as it is now."""
        self.clear()
        for page, rows in pages.items():
            self.put_page(page, rows, total)

    def replace(self, row: T) -> None:
        """Replaces the row with the same key where it is here."""
        wanted = self._key(row)
        for rows in self._pages.values():
            for index, known in enumerate(rows):
                if self._key(known) == wanted:
                    rows[index] = row

    def find(self, key: str) -> T | None:
        """The row with a key, where it is here."""
        return next((row for rows in self._pages.values() for row in rows if self._key(row) == key), None)
