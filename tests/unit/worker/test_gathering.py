"""When the next insert may begin."""

from __future__ import annotations

from appliance.worker.runner import GATHER_S, MANY_ROWS, next_insert_at


def test_few_rows_do_not_hold_back_those_that_come_next() -> None:
    assert next_insert_at(MANY_ROWS - 1, 7.0) == 7.0


def test_after_many_rows_more_are_gathered() -> None:
    assert next_insert_at(MANY_ROWS, 7.0) == 7.0 + GATHER_S


def test_a_hundred_small_traces_a_second_are_never_gathered_for_long() -> None:
    assert 100 * 8 * GATHER_S < MANY_ROWS
