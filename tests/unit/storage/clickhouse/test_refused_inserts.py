"""Which refusals of an insert are waited for, and which make a dead letter."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from clickhouse_connect.driver.exceptions import DatabaseError

from appliance.errors import StoreRefused, StoreUnavailable, TooMuchAtOnce, Undecodable
from appliance.model.scores import Score
from appliance.storage.clickhouse.refusals import translated
from appliance.storage.clickhouse.writer import Writer
from appliance.worker.retry import DOUBTFUL


class Refusal(DatabaseError):
    def __init__(self, code: int) -> None:
        super().__init__(f"Code: {code}. DB::Exception: because")
        self.code = code


@pytest.mark.parametrize(
    "code",
    [
        pytest.param(252, id="too many parts"),
        pytest.param(241, id="memory limit"),
        pytest.param(243, id="disk full"),
        pytest.param(164, id="read-only"),
        pytest.param(242, id="table read-only"),
        pytest.param(202, id="too many queries"),
        pytest.param(159, id="time-out"),
        pytest.param(60, id="no table yet"),
        pytest.param(999, id="Keeper is away"),
    ],
)
def test_a_store_that_cannot_now_is_waited_for(code: int) -> None:
    with pytest.raises(StoreUnavailable) as refusal, translated(inserting=True):
        raise Refusal(code)
    assert code == 241 or not isinstance(refusal.value, DOUBTFUL)


def test_what_there_is_no_memory_for_may_be_tried_in_smaller_blocks() -> None:
    with pytest.raises(TooMuchAtOnce), translated(inserting=True):
        raise Refusal(241)


@pytest.mark.parametrize("sizes", [[5], [1, 1, 50], [50, 1, 1], [9] * 8, [1, 50, 1]])
async def test_a_block_is_halved_between_rows_until_there_is_memory_for_it(sizes: list[int]) -> None:
    same: dict[str, Any] = {"project_id": "p", "source": "API", "data_type": "TEXT", "timestamp": 1, "event_ts": 1}
    same |= {"created_at": 1, "updated_at": 1}
    rows = [Score(**same, id=f"{number}", name="x" * size) for number, size in enumerate(sizes)]
    stored: list[dict[str, Any]] = []

    class SmallClickHouse:
        async def insert(self, table: str, block: bytes) -> None:
            lines = msgspec.json.Decoder(dict[str, Any]).decode_lines(block)
            if len(lines) > 1:
                raise TooMuchAtOnce("No memory.")
            stored.extend(lines)

    small: Any = SmallClickHouse()
    await Writer(small).write(scores=rows)
    assert [(row["id"], len(row["name"])) for row in stored] == [(f"{n}", size) for n, size in enumerate(sizes)]


@pytest.mark.parametrize("code", [49, 246, 469, 1001, 1002, 123456])
def test_what_nobody_knows_is_neither_waited_for_for_ever_nor_given_up_at_once(code: int) -> None:
    with pytest.raises(StoreRefused) as refusal, translated(inserting=True):
        raise Refusal(code)
    assert "because" in refusal.value.message
    assert isinstance(refusal.value, DOUBTFUL)


def test_an_answer_without_a_code_is_waited_for() -> None:
    with pytest.raises(StoreUnavailable) as refusal, translated(inserting=True):
        raise DatabaseError("HTTP 502 of a proxy")
    assert not isinstance(refusal.value, DOUBTFUL)


@pytest.mark.parametrize("code", [pytest.param(27, id="not its type"), pytest.param(70, id="cannot be converted")])
def test_a_row_that_does_not_fit_is_given_up(code: int) -> None:
    with pytest.raises(Undecodable), translated(inserting=True):
        raise Refusal(code)
