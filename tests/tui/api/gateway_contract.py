"""What every gateway does; run on the sample one, and on the real one over a canned server."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, Protocol

import pytest

from appliance.errors import RemoteError
from appliance.model.format import count as shown_count
from tui.api.gateway import PAGE_ROWS, Gateway, TraceQuery
from tui.model.records import Health, Observation, TraceRow
from tui.model.timerange import BY_KEY

COUNT = 130
DAY = BY_KEY["24h"]


class GatewayUnderTest(Protocol):
    """A gateway to `COUNT` traces, and hands on the server behind it."""

    gateway: Gateway

    def write_trace(self) -> str:
        """Lets a trace come in; returns its id."""

    def set_health(self, health: Health) -> None: ...
    def break_down(self) -> None:
        """From now on the server answers everything with an error."""


class GatewayContract:
    """Subclasses provide the fixture `behind`."""

    async def test_the_server_names_its_project(self, behind: GatewayUnderTest) -> None:
        server = await behind.gateway.connect()
        assert (server.project, server.project_id) == ("shop-assistant", "p1")
        assert behind.gateway.server == server

    async def test_health(self, behind: GatewayUnderTest) -> None:
        behind.set_health(Health(ok=True, version="3.1", dead_letters=2))
        assert await behind.gateway.health() == Health(ok=True, version="3.1", dead_letters=2)
        behind.set_health(Health(ok=False, reason="Redis is down."))
        assert await behind.gateway.health() == Health(ok=False, reason="Redis is down.")

    async def test_traces_come_in_pages_newest_first(self, behind: GatewayUnderTest) -> None:
        pages = [await behind.gateway.trace_page(TraceQuery(), number) for number in (1, 2, 3, 4)]
        assert [len(page.rows) for page in pages] == [PAGE_ROWS, PAGE_ROWS, COUNT - 2 * PAGE_ROWS, 0]
        assert {page.total for page in pages} == {COUNT}
        rows = [row for page in pages for row in page.rows]
        assert len({row.id for row in rows}) == COUNT
        assert rows == sorted(rows, key=lambda row: row.timestamp, reverse=True)

    @pytest.mark.parametrize("column", ["latency", "totalCost", "name"])
    async def test_traces_in_another_order(self, behind: GatewayUnderTest, column: str) -> None:
        keys: dict[str, Callable[[TraceRow], Any]] = {
            "latency": lambda row: row.latency,
            "totalCost": lambda row: row.cost,
            "name": lambda row: row.name,
        }
        up, down = [
            [keys[column](row) for row in (await behind.gateway.trace_page(TraceQuery(order=order), 1)).rows]
            for order in (f"{column}.asc", f"{column}.desc")
        ]
        assert (up, down) == (sorted(up), sorted(down, reverse=True))
        assert up[0] < down[0]

    async def test_only_traces_since_a_time(self, behind: GatewayUnderTest) -> None:
        newest = (await behind.gateway.trace_page(TraceQuery(), 1)).rows
        found = await behind.gateway.trace_page(TraceQuery(since=newest[9].timestamp - timedelta(seconds=1)), 1)
        assert (found.rows, found.total) == (newest[:10], 10)

    async def test_only_traces_of_a_name(self, behind: GatewayUnderTest) -> None:
        condition = {"type": "stringOptions", "column": "name", "operator": "any of", "value": ["rag-answer"]}
        found = await behind.gateway.trace_page(TraceQuery((condition,)), 1)
        assert {row.name for row in found.rows} == {"rag-answer"}
        assert found.total is not None and 0 < found.total < COUNT

    async def test_extras_of_traces(self, behind: GatewayUnderTest) -> None:
        rows = (await behind.gateway.trace_page(TraceQuery(), 1)).rows[:20]
        extras = await behind.gateway.trace_extras(rows)
        assert extras.keys() == {row.id for row in rows}
        for row in rows:
            assert extras[row.id].tokens > 0
            assert extras[row.id].levels["DEFAULT"] == row.observation_count
            assert tuple(score.id for score in extras[row.id].scores) == row.score_ids
        assert any(row.score_ids for row in rows)
        assert await behind.gateway.trace_extras([]) == {}

    async def test_a_trace_is_what_its_row_says(self, behind: GatewayUnderTest) -> None:
        for row in (await behind.gateway.trace_page(TraceQuery(), 1)).rows[:5]:
            trace = await behind.gateway.trace(row.id)
            assert (trace.id, trace.name, trace.user_id, trace.session_id, trace.total_cost, trace.latency) == (
                row.id, row.name, row.user, row.session, row.cost, row.latency,
            )  # fmt: skip
            assert set(row.score_ids) <= {score.id for score in trace.scores}

    async def test_what_is_not_there_is_said(self, behind: GatewayUnderTest) -> None:
        asked: list[tuple[str, Callable[[str], Awaitable[Any]]]] = [
            ("Trace nothing not found", behind.gateway.trace),
            ("Session nothing not found", behind.gateway.session),
        ]
        for sentence, ask in asked:
            with pytest.raises(RemoteError, match=sentence) as caught:
                await ask("nothing")
            assert caught.value.status == 404
        assert await observations_of(behind, "nothing") == []

    async def test_observations_of_a_trace_are_a_tree(self, behind: GatewayUnderTest) -> None:
        row = (await behind.gateway.trace_page(TraceQuery(), 1)).rows[0]
        found = await observations_of(behind, row.id)
        ids = {one.id for one in found}
        assert len(ids) == len(found) > 5
        assert [one.parent_observation_id for one in found if one.parent_observation_id not in ids] == [None]
        assert {one.trace_id for one in found} == {row.id}
        assert any(one.cost > 0 and one.tokens > 0 and one.model_name for one in found)

    async def test_texts_of_an_observation(self, behind: GatewayUnderTest) -> None:
        row = (await behind.gateway.trace_page(TraceQuery(), 1)).rows[0]
        for one in await observations_of(behind, row.id):
            texts = await behind.gateway.observation(one.id)
            assert texts.id == one.id and texts.input and texts.output

    async def test_observations_in_pages_by_type(self, behind: GatewayUnderTest) -> None:
        everything = await behind.gateway.observation_page([], 1)
        assert len(everything.rows) == PAGE_ROWS
        condition = {"type": "stringOptions", "column": "type", "operator": "any of", "value": ["GENERATION"]}
        first, second = [await behind.gateway.observation_page([condition], number) for number in (1, 2)]
        assert {one.type for one in [*first.rows, *second.rows]} == {"GENERATION"}
        assert everything.total is not None and first.total is not None
        assert first.total == len(first.rows) + len(second.rows) < everything.total
        assert not {one.id for one in first.rows} & {one.id for one in second.rows}

    async def test_sessions_with_their_turns(self, behind: GatewayUnderTest) -> None:
        page = await behind.gateway.session_page(1)
        assert page.total == len(page.rows) == len({row.id for row in page.rows}) > 10
        assert (await behind.gateway.session_page(2)).rows == []
        session = await behind.gateway.session(page.rows[0].id)
        times = [turn.timestamp for turn in session.turns]
        assert session.id == page.rows[0].id and times == sorted(times) and len(times) == 4
        assert {turn.session_id for turn in session.turns} == {session.id}

    async def test_the_overview_counts_what_there_is(self, behind: GatewayUnderTest) -> None:
        found = await behind.gateway.overview(DAY)
        assert found.end - found.start == DAY.span
        tiles = {tile.title: tile.value for tile in found.tiles}
        assert tiles.keys() == {"Traces", "Observations", "Tokens", "Cost", "Error rate", "p95 latency"}
        assert tiles["Traces"] == shown_count(COUNT)
        assert sum(latency.count for latency in found.latencies) == COUNT

    async def test_what_is_written_is_told(self, behind: GatewayUnderTest) -> None:
        told = behind.gateway.live()
        for _ in range(2):
            written = behind.write_trace()
            assert await anext(told) == [written]

    async def test_jobs(self, behind: GatewayUnderTest) -> None:
        running, failed = await behind.gateway.jobs()
        assert (running.state, running.progress, running.total) == ("running", 400, 1200)
        assert (failed.state, failed.attempts) == ("failed", 8) and failed.error

    async def test_services_can_be_seen_or_it_says_that_they_cannot(self, behind: GatewayUnderTest) -> None:
        if behind.gateway.services_every_s:
            assert [service.name for service in (await behind.gateway.status()).services].count("worker") == 1
            assert [line async for line in behind.gateway.logs("web", 10)]
            await behind.gateway.control("web", "restart")
            return
        with pytest.raises(RemoteError, match="cannot be seen"):
            await behind.gateway.status()
        with pytest.raises(RemoteError, match="cannot be seen"):
            await behind.gateway.control("web", "restart")
        with pytest.raises(RemoteError, match="cannot be seen"):
            behind.gateway.logs("web", 10)

    async def test_a_server_that_fails_is_said_by_everything(self, behind: GatewayUnderTest) -> None:
        rows = (await behind.gateway.trace_page(TraceQuery(), 1)).rows
        behind.break_down()
        gateway = behind.gateway
        asked: dict[str, Callable[[], Awaitable[Any]]] = {
            "connect": gateway.connect,
            "trace_page": lambda: gateway.trace_page(TraceQuery(), 1),
            "trace_extras": lambda: gateway.trace_extras(rows),
            "trace": lambda: gateway.trace(rows[0].id),
            "trace_observations": lambda: observations_of(behind, rows[0].id),
            "observation": lambda: gateway.observation("o"),
            "observation_page": lambda: gateway.observation_page([], 1),
            "session_page": lambda: gateway.session_page(1),
            "session": lambda: gateway.session("s"),
            "overview": lambda: gateway.overview(DAY),
            "jobs": gateway.jobs,
        }
        silent = []
        for name, ask in asked.items():
            try:
                await ask()
            except RemoteError as error:
                assert error.message
            else:
                silent.append(name)
        assert silent == []


async def observations_of(behind: GatewayUnderTest, trace_id: str) -> list[Observation]:
    return [one async for batch in behind.gateway.trace_observations(trace_id) for one in batch]
