"""Which texts have words that the index knows."""

from __future__ import annotations

import pytest

from appliance.storage.clickhouse.migrations import load_migrations
from appliance.storage.clickhouse.queries import render
from appliance.storage.clickhouse.words import has_words, words_of


@pytest.mark.parametrize("text", ["refund", "42", "…a", "退款", "é", "э", "•", "👍", "ดี", "환불", "ＡＢ", "٣", "“"])
def test_words_of_all_scripts_are_looked_up(text: str) -> None:
    assert "{p0:String}" in has_words("input", text, "{p0:String}")


@pytest.mark.parametrize("text", ["", " ", "...", "…", "！", "\u00a0", "\u00ad", "款", "款\ufe00", "款 政", "/-_"])
def test_of_what_the_index_cannot_tell_it_is_not_asked(text: str) -> None:
    assert has_words("input", text, "{p0:String}") == ""


def test_the_index_is_made_of_the_expression_that_is_searched() -> None:
    [migration] = [each for each in load_migrations() if "words" in each.name]
    for table, text in (("observations", "observation_text"), ("trace_parts", "part_text")):
        [added] = [sql for sql in migration.statements if f"ALTER TABLE {table} ADD INDEX" in sql]
        assert words_of(render("search", text)) in added
