"""Which refusals of an insert are waited for, and which make a dead letter."""

from __future__ import annotations

import pytest
from clickhouse_connect.driver.exceptions import DatabaseError

from appliance.errors import StoreUnavailable, Undecodable
from appliance.storage.clickhouse.client import _translated


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
    with pytest.raises(StoreUnavailable), _translated(inserting=True):
        raise Refusal(code)


@pytest.mark.parametrize("code", [pytest.param(27, id="not its type"), pytest.param(70, id="cannot be converted")])
def test_a_row_that_does_not_fit_is_given_up(code: int) -> None:
    with pytest.raises(Undecodable), _translated(inserting=True):
        raise Refusal(code)
