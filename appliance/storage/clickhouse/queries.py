"""Named blocks of SQL: `-- name: xyz` starts a block in `sql/<noun>.sql`; `$word` marks where text is put in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from string import Template
from typing import Final

_COMMENT: Final = re.compile(r"^\s*--[^\n]*(?:\n|\Z)", re.MULTILINE)
_HEADER: Final = re.compile(r"^-- name: (\w+)[^\n]*\n", re.MULTILINE)


@cache
def load(noun: str) -> Mapping[str, Template]:
    """The blocks of `sql/<noun>.sql` by name, without comments: a semicolon in one costs the client a millisecond."""
    text = (files(__package__) / "sql" / f"{noun}.sql").read_text("utf-8")
    parts = _HEADER.split(text)
    return {
        name: Template(_COMMENT.sub("", block).strip()) for name, block in zip(parts[1::2], parts[2::2], strict=True)
    }


def render(noun: str, name: str, **texts: str) -> str:
    """One block, with pieces of SQL (never values) put in for its `$words`."""
    return load(noun)[name].substitute(texts)
