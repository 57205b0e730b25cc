"""The blocks of SQL as they are sent."""

from __future__ import annotations

from importlib.resources import files

import pytest

from appliance.storage.clickhouse.queries import load

_NOUNS = sorted(path.name.removesuffix(".sql") for path in (files("appliance.storage.clickhouse") / "sql").iterdir())


@pytest.mark.parametrize("noun", _NOUNS)
def test_statements_are_sent_without_comments(noun: str) -> None:
    for block in load(noun).values():
        assert block.template and "--" not in block.template and ";" not in block.template
