"""Blocks of SQL as they are sent."""

from __future__ import annotations

from importlib.resources import files

import pytest

from appliance.storage.sql_files import load_blocks

_FILES = [
    (package, path.name.removesuffix(".sql"))
    for package in ("appliance.storage.clickhouse", "appliance.storage.postgres")
    for path in sorted((files(package) / "sql").iterdir(), key=lambda path: path.name)
]


@pytest.mark.parametrize(("package", "noun"), _FILES)
def test_blocks_are_sent_without_comments(package: str, noun: str) -> None:
    blocks = load_blocks(package, noun)
    text = (files(package) / "sql" / f"{noun}.sql").read_text("utf-8")
    assert len(blocks) == text.count("-- name: ")
    for block in blocks.values():
        assert block and "--" not in block


def test_one_statement_of_clickhouse_has_no_semicolon() -> None:
    nouns = [noun for package, noun in _FILES if package.endswith("clickhouse")]
    assert not any(
        ";" in block for noun in nouns for block in load_blocks("appliance.storage.clickhouse", noun).values()
    )
