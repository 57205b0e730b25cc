"""Lists, page by page."""

from __future__ import annotations

from typing import Generic, TypeVar

import msgspec

T = TypeVar("T")


class PageMeta(msgspec.Struct, kw_only=True, rename="camel", omit_defaults=True):
    """Which page of a list this is; lists have numbers or a cursor, never both."""

    page: int | None = None
    limit: int | None = None
    total_items: int | None = None
    """Items of all pages together."""
    total_pages: int | None = None
    cursor: str | None = None
    """Where the next page starts; None on the last one."""


class ApiPage(msgspec.Struct, Generic[T]):
    """One page of a list."""

    data: list[T]
    meta: PageMeta = msgspec.field(default_factory=PageMeta)


class ApiList(msgspec.Struct, Generic[T]):
    """A list that is answered whole."""

    data: list[T]
