"""Benchmarks refuse to measure nothing."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.benchmarks.running import require_readable
from tests.benchmarks.seeded import Seeded, lists, reads
from tests.benchmarks.yardstick import medians, times

SEEDED = Seeded("1", 2000, 2000, ["t1"], ["user-0001"])
NOTHING: dict[str, Any] = {"id": "t1", "observations": [], "data": [], "meta": {"totalItems": 0}}


@pytest.mark.parametrize("read", reads(SEEDED), ids=lambda read: read.name)
def test_an_answer_without_rows_is_no_figure(read: Any) -> None:
    with pytest.raises(AssertionError):
        read.check(NOTHING, 0)


def test_a_trace_of_another_id_is_no_figure() -> None:
    [by_id] = [read for read in lists(SEEDED) if read.name.startswith("trace by id")]
    eight = [{"traceId": "t2"}] * 8
    with pytest.raises(AssertionError):
        by_id.check({"id": "t2", "observations": eight}, 0)
    by_id.check({"id": "t1", "observations": [{"traceId": "t1"}] * 8}, 0)


def test_rows_that_the_filter_should_keep_out_are_no_figure() -> None:
    [of_user] = [read for read in lists(SEEDED) if read.name == "traces of a user"]
    page = {"data": [{"userId": "user-0002"}], "meta": {"totalItems": 1}}
    with pytest.raises(AssertionError):
        of_user.check(page, 0)
    page["data"] = [{"userId": "user-0001"}]
    of_user.check(page, 0)


async def test_a_project_without_the_seed_is_not_read() -> None:
    class Empty:
        async def rows(self, *_: Any, **__: Any) -> list[dict[str, int]]:
            return [{"traces": 0}]

    anything: Any = Empty()
    with pytest.raises(AssertionError, match="holds nothing"):
        await Seeded.look(anything, anything, "project", "1", 3)


async def test_another_project_than_the_seeded_one_is_not_read() -> None:
    class Full:
        async def rows(self, *_: Any, **__: Any) -> list[dict[str, int]]:
            return [{"traces": 2000}]

    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"data": [], "meta": {"totalItems": 0}})

    clickhouse: Any = Full()
    async with httpx.AsyncClient(transport=httpx.MockTransport(answer), base_url="http://web") as http:
        with pytest.raises(AssertionError, match="another project"):
            await Seeded.look(clickhouse, http, "project", "1", 3)


def test_a_load_of_which_something_is_missing_is_no_figure() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        total = 3 if request.url.path.endswith("traces") else 23
        rows = [{"id": str(number)} for number in range(total)]
        return httpx.Response(200, json={"data": rows, "meta": {"totalItems": total}})

    with httpx.Client(transport=httpx.MockTransport(answer), base_url="http://web") as http:
        require_readable(http, traces=3, observations=23)
        with pytest.raises(AssertionError, match="23 observations can be read, not 24"):
            require_readable(http, traces=3, observations=24)


def test_a_ratio_is_made_of_medians_of_neighbours() -> None:
    assert medians([1.0, 9.0, 2.0, 3.0, 2.0], 3) == [2.0, 3.0, 2.0]
    assert medians([1.0, 3.0], 5) == [2.0]
    assert times(30.0, 2.0) == "15.0 times"
