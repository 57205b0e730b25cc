"""Which columns of a table fit, and how wide they are."""

from __future__ import annotations

from datetime import UTC, datetime
from io import StringIO
from typing import Any

import msgspec
import pytest
from rich.console import Console

from appliance.cli.data.observations import OBSERVATIONS
from appliance.cli.data.prompts import PROMPTS
from appliance.cli.data.reading import Listing
from appliance.cli.data.sessions import SESSIONS
from appliance.cli.data.tables import Column, columns_of, fitted, table
from appliance.cli.data.traces import TRACES

UUID = "92da3cdc-5ba7-41fd-a91b-9db9890e71a3"


def lines_of(rows: list[dict[str, Any]], listing: Listing[Any], width: int, **how: bool) -> list[str]:
    out = StringIO()
    drawn, wide = table([msgspec.convert(row, listing.row) for row in rows], listing.columns, width, **how)
    Console(file=out, width=max(width, wide), color_system=None).print(drawn)
    return [line.rstrip() for line in out.getvalue().splitlines()]


def trace(**more: Any) -> dict[str, Any]:
    now = datetime.now(UTC).isoformat()
    return {"timestamp": now, "name": "answer-question", "latency": 0.85, "totalCost": 0.0045, "id": UUID, **more}


@pytest.mark.parametrize("width", [44, 60, 76, 80, 100, 160])
@pytest.mark.parametrize("identity", [UUID, "0af7651916cd43dd8448eb211c80319c"])
def test_an_id_is_whole_beside_a_readable_name(width: int, identity: str) -> None:
    row = trace(id=identity, input="long " * 99, tags=["prod"] * 5, userId="alice", observations=["a"])
    old = row | {"timestamp": "2026-01-01T00:00:00Z"}
    lines = lines_of([row, old], TRACES, width)
    assert len(lines) == 3
    assert max(map(len, lines)) <= width
    assert all(identity in line for line in lines[1:])
    assert "answer-qu" in lines[1] or width < 60


def test_the_date_gives_way_before_any_column() -> None:
    wide, narrow = (lines_of([trace(input="long " * 99)], TRACES, width)[1] for width in (140, 80))
    assert wide.startswith(f"{datetime.now():%Y-%m-%d }")
    assert narrow[2] == ":" and "850 ms" in narrow and "$0.0045" in narrow


@pytest.mark.parametrize("width", [20, 30, 43])
def test_an_id_that_does_not_fit_is_left_out_whole(width: int) -> None:
    lines = lines_of([trace()], TRACES, width)
    assert UUID[:6] not in "\n".join(lines)
    assert "answer" in lines[1] and max(map(len, lines)) <= width


@pytest.mark.parametrize("width", [60, 80, 100])
def test_ids_of_observations_are_whole(width: int) -> None:
    row = {"id": "78a5abe4dc4b6233", "type": "GENERATION", "name": "call-the-model", "model": "claude-opus-4-5"}
    row |= {"startTime": "2026-01-01T00:00:00Z", "endTime": "2026-01-01T00:00:01Z", "traceId": "0af765" * 5}
    line = lines_of([row], OBSERVATIONS, width)[1]
    assert row["id"] in line and "call-the" in line and len(line) <= width
    assert row["traceId"] in line or row["traceId"][:3] not in line


def test_one_id_that_is_too_long_hides_no_other() -> None:
    rows = [{"id": "session-1", "createdAt": "2026-01-01T00:00:00Z"}, {"id": "long" * 99}]
    text = "\n".join(lines_of(rows, SESSIONS, 80))
    assert "session-1" in text and "longlong" not in text


def test_without_a_terminal_every_id_is_whole() -> None:
    assert "long" * 99 in "\n".join(lines_of([{"id": "long" * 99}], SESSIONS, 200, may_grow=True))


def test_columns_of_high_rank_go_first_and_the_last_of_equals() -> None:
    one, two, three = (Column(name, str, rank=name != "a") for name in "abc")
    needed = {one: 10, two: 10, three: 10}
    assert list(fitted(needed, 40)) == [one, two, three]
    assert list(fitted(needed, 25)) == [one, two]
    assert list(fitted(needed, 5)) == [one]


def test_the_widest_free_text_is_cut_first() -> None:
    one, two = (Column(name, str, is_free=True) for name in "ab")
    assert list(fitted({one: 50, two: 10}, 40).values()) == [28, 10]
    assert sum(fitted({one: 50, two: 40}, 40).values()) == 38


def test_rows_of_any_shape_get_columns() -> None:
    columns = columns_of([{"name": "a", "count": 1}, {"name": "b", "extra": None}])
    assert [(column.title, column.is_number) for column in columns] == [
        ("name", False),
        ("count", True),
        ("extra", True),
    ]


def test_a_prompt_whose_type_is_not_sent_is_not_called_a_text() -> None:
    """Lists of older servers say nothing about it."""
    lines = "\n".join(lines_of([{"name": "greet", "versions": [1]}], PROMPTS, 160))
    assert "greet" in lines
    assert "text" not in lines
