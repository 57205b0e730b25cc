"""ReadLimiter of reads: few at a time, the same page once, and an early refusal for the rest."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import Response

from appliance.errors import Overloaded, StoreUnavailable
from appliance.web.read_limiter import ReadLimiter


class Work:
    """Reads that wait until they are let go."""

    def __init__(self) -> None:
        self.begun: list[int] = []
        self.at_once = self.most_at_once = 0
        self.go_on = asyncio.Event()

    def numbered(self, number: int) -> Callable[[], Awaitable[Response]]:
        async def read() -> Response:
            self.begun.append(number)
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
            await self.go_on.wait()
            self.at_once -= 1
            return Response(str(number))

        return read


def page(name: str) -> tuple[str, str, str, bytes]:
    return "GET", "Basic x", name, b""


async def begun(work: Work, count: int) -> None:
    async with asyncio.timeout(5):
        while len(work.begun) < count:
            await asyncio.sleep(0)


async def test_the_same_page_is_read_once_for_all_who_ask_before_it_begins() -> None:
    turns, work = ReadLimiter(), Work()
    asking = [asyncio.create_task(turns.read(page("a"), work.numbered(number))) for number in range(50)]
    await begun(work, 1)
    work.go_on.set()
    assert {bytes(answer.body) for answer in await asyncio.gather(*asking)} == {b"0"}
    assert work.begun == [0]


async def test_who_asks_after_a_read_began_gets_a_newer_answer_and_shares_it() -> None:
    turns, work = ReadLimiter(), Work()
    first = asyncio.create_task(turns.read(page("a"), work.numbered(1)))
    await begun(work, 1)
    later = [asyncio.create_task(turns.read(page("a"), work.numbered(number))) for number in range(2, 40)]
    work.go_on.set()
    assert bytes((await first).body) == b"1"
    assert {bytes(answer.body) for answer in await asyncio.gather(*later)} == {b"2"}
    assert work.begun == [1, 2]


async def test_few_are_read_at_a_time() -> None:
    turns, work = ReadLimiter(at_once=3, wait_s=5), Work()
    asking = [asyncio.create_task(turns.read(page(str(number)), work.numbered(number))) for number in range(20)]
    await begun(work, 3)
    work.go_on.set()
    await asyncio.gather(*asking)
    assert (work.most_at_once, len(work.begun)) == (3, 20)


async def test_who_gets_no_turn_in_time_is_told_to_come_back() -> None:
    turns, work = ReadLimiter(at_once=1, wait_s=0.01, most_patient=0), Work()
    first = asyncio.create_task(turns.read(page("a"), work.numbered(1)))
    await begun(work, 1)
    for name in ("a", "b"):
        with pytest.raises(Overloaded) as caught:
            await turns.read(page(name), work.numbered(2))
        assert caught.value.retry_after_s > 0
    work.go_on.set()
    await first
    assert bytes((await turns.read(page("b"), work.numbered(3))).body) == b"3"


async def test_a_few_wait_longer_than_a_crowd() -> None:
    turns, work = ReadLimiter(at_once=1, wait_s=0.01, most_patient=2), Work()
    asking = [asyncio.create_task(turns.read(page(str(number)), work.numbered(number))) for number in range(5)]
    refused, served = asking[2:], asking[:2]
    assert [type(error) for error in await asyncio.gather(*refused, return_exceptions=True)] == [Overloaded] * 3
    work.go_on.set()
    assert [bytes(answer.body) for answer in await asyncio.gather(*served)] == [b"0", b"1"]


async def test_all_who_share_a_read_hear_of_its_failure_and_the_next_one_is_read_anew() -> None:
    turns, work = ReadLimiter(at_once=1), Work()

    async def fail() -> Response:
        raise StoreUnavailable("Gone.", store="ClickHouse")

    failures = await asyncio.gather(*(turns.read(page("a"), fail) for _ in range(3)), return_exceptions=True)
    assert [type(failure) for failure in failures] == [StoreUnavailable] * 3
    work.go_on.set()
    assert bytes((await turns.read(page("a"), work.numbered(1))).body) == b"1"


async def test_a_client_that_leaves_takes_the_answer_from_nobody() -> None:
    turns, work = ReadLimiter(), Work()
    leaving, staying = (asyncio.create_task(turns.read(page("a"), work.numbered(number))) for number in range(2))
    await begun(work, 1)
    leaving.cancel()
    work.go_on.set()
    assert bytes((await staying).body) == b"0"


async def test_strangers_take_no_turn(client: httpx.AsyncClient, app: Starlette) -> None:
    app.state.read_limiters["lists"] = ReadLimiter(at_once=0, wait_s=0.01, most_patient=0)
    assert (await client.get("/api/public/traces", auth=("pk", "wrong"))).status_code == 401
    answer = await client.get("/api/public/traces")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
