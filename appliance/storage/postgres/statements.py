"""SQL text from the `.sql` files of this package, in blocks that begin with `-- name: <name>`."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import LiteralString


@cache
def statements(noun: str) -> dict[str, LiteralString]:
    """The blocks of `sql/<noun>.sql` by name; they ship with the package, so they count as literal text."""
    text = files(__package__).joinpath("sql", f"{noun}.sql").read_text(encoding="utf-8")
    blocks: dict[str, LiteralString] = {}
    for block in text.split("-- name: ")[1:]:
        name, _, body = block.partition("\n")
        blocks[name.strip()] = body.strip()
    return blocks
