"""SQL from the `.sql` files of a package, in blocks that begin with `-- name: <name>`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Final, LiteralString

_HEADER: Final = re.compile(r"^-- name: (\w+)[^\n]*\n", re.MULTILINE)
_COMMENT: Final = re.compile(r"^\s*--[^\n]*(?:\n|\Z)", re.MULTILINE)


@cache
def load_blocks(package: str, noun: str) -> Mapping[str, LiteralString]:
    """The blocks of `sql/<noun>.sql` by name, without comments; they ship with the package, so they are literal text.

    Comments are left out because a semicolon in one costs the ClickHouse client a millisecond.
    """
    text = files(package).joinpath("sql", f"{noun}.sql").read_text("utf-8")
    _, *parts = _HEADER.split(text)
    # `re` returns plain text: that these are literals is known here and nowhere else.
    blocks: dict[str, LiteralString] = {}
    for name, block in zip(parts[::2], parts[1::2], strict=True):
        blocks[name] = _COMMENT.sub("", block).strip()
    return blocks
