"""How much is asked of ClickHouse for a read: planning a statement costs more than the few rows it finds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from appliance.storage.clickhouse.client import ClickHouse
from appliance.storage.clickhouse.traces import pages
from appliance.storage.clickhouse.traces.aggregate import aggregate_round
from tests.integration.read.conftest import NOW, SECOND, Project


@contextmanager
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The statements that are run inside the block."""
    statements: list[str] = []
    read = ClickHouse._read

    async def noted(self: ClickHouse, sql: str, params: Mapping[str, Any], *rest: Any) -> bytes:
        statements.append(sql)
        return await read(self, sql, params, *rest)

    with monkeypatch.context() as patched:
        patched.setattr(ClickHouse, "_read", noted)
        yield statements


async def test_a_trace_is_read_by_four_statements_and_the_mark_is_remembered(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    await project.trace("t")
    await project.observation("t", "o")
    for mentions in (True, False):
        with asked(monkeypatch) as statements:
            trace = await project.get("/traces/t")
        assert [row["id"] for row in trace["observations"]] == ["o"]
        assert len(statements) == 4, statements
        assert any("folded_until" in sql for sql in statements) is mentions
        assert not any("FROM scores FINAL" in sql for sql in statements)


async def test_what_is_written_after_the_mark_was_remembered_is_found(project: Project) -> None:
    await project.trace("t")
    await aggregate_round(project.clickhouse, quiet_s=0)
    await project.get("/traces/t")
    await project.observation("t", "late", at=NOW + 3600 * SECOND)
    await aggregate_round(project.clickhouse, quiet_s=0)
    await project.observation("t", "later", at=NOW + 7200 * SECOND)
    trace = await project.get("/traces/t")
    assert [row["id"] for row in trace["observations"]] == ["late", "later"]


async def test_a_settled_page_by_time_is_read_by_six_statements(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        await project.trace(f"t{number}", at=NOW + number * SECOND)
    await aggregate_round(project.clickhouse, quiet_s=0)
    with asked(monkeypatch) as statements:
        assert await project.ids("/traces", limit=2) == ["t2", "t1"]
    assert len(statements) == 6, statements


async def test_a_page_with_little_that_is_new_reads_no_parts_before_it(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        await project.trace(f"t{number}", at=NOW + number * SECOND)
    await aggregate_round(project.clickhouse, quiet_s=0)
    await project.trace("new", at=NOW + 9 * SECOND)
    with asked(monkeypatch) as statements:
        assert await project.ids("/traces", limit=2) == ["new", "t3"]
    [newest] = [sql for sql in statements if "{window:UInt64}" in sql]
    assert "timestamp >= " in newest
    assert not any("FROM trace_parts FINAL" in sql for sql in statements)


async def test_new_traces_of_a_session_are_looked_up_by_what_their_parts_say(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The index of ids is asked only for the few that are left: for each of thousands it costs more than all else."""
    monkeypatch.setattr(pages, "_FEW_DIRTY", -1)
    for number in range(3):
        await project.trace(f"old{number}", at=NOW + number * SECOND, session_id=f"s{number % 2}")
    await aggregate_round(project.clickhouse, quiet_s=0)
    for number in range(3):
        await project.trace(f"new{number}", at=NOW + (9 + number) * SECOND, session_id=f"s{number % 2}")
    await project.trace("old2", part="moved", at=NOW + 3 * SECOND, session_id="s1", weight=9)
    with asked(monkeypatch) as statements:
        assert await project.ids("/traces", sessionId="s0") == ["new2", "new0", "old0"]
    [matching] = [sql for sql in statements if "folded_traces FINAL" in sql]
    assert "(started, id) IN (" in matching
    assert "SELECT trace_id FROM touched_traces" not in matching
