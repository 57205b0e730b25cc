"""ClickHouse's SQL by the name of its block; `$word` marks where a piece of SQL is put in."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from string import Template

from appliance.storage.sql_files import load_blocks


@cache
def load(noun: str) -> Mapping[str, Template]:
    """The blocks of `sql/<noun>.sql` by name."""
    return {name: Template(block) for name, block in load_blocks(__package__, noun).items()}


def render(noun: str, name: str, **texts: str) -> str:
    """One block, with pieces of SQL (never values) put in for its `$words`."""
    return load(noun)[name].substitute(texts)
