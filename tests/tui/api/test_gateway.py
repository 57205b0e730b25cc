"""The gateway against a made-up server: shapes, fallbacks and errors in one sentence."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from appliance.client import ControlClient, LangfuseClient, encode_params
from appliance.errors import NotRunning, RemoteError
from appliance.http_client import ConnectionEnded, NotConnected, Request, Response
from tests.answered import Answered, Handler, answer_of, params, path
from tui.api.gateway import LocalGateway, RemoteGateway, TraceQuery
from tui.api.local import find_appliance
from tui.model.records import Server

SERVER = Server("http://lf.test", "pk", "sk", local=False)


def gateway(handler: Handler) -> RemoteGateway:
    return RemoteGateway(SERVER, http=Answered(handler))


async def test_trace_page_sends_the_query_and_cuts_texts() -> None:
    seen: list[Request] = []

    def answer(request: Request) -> Response:
        seen.append(request)
        item: dict[str, object] = {
            "id": "t1",
            "timestamp": "2026-11-23T12:00:00.000Z",
            "input": {"question": "why?"},
            "output": "x" * 9999,
        }
        item |= {"latency": -1, "totalCost": 0.5, "scores": ["s"], "observations": ["a", "b"]}
        return answer_of(200, {"data": [item], "meta": {"totalItems": 77}})

    conditions = ({"type": "string", "column": "name", "operator": "=", "value": "x"},)
    found = await gateway(answer).trace_page(TraceQuery(conditions), 3)
    row = found.rows[0]
    assert (found.total, row.input, len(row.output), row.latency, row.cost) == (77, "why?", 240, None, 0.5)
    assert (row.observation_count, row.score_ids) == (2, ("s",))
    assert params(seen[0])["page"] == "3"
    assert json.loads(params(seen[0])["filter"]) == list(conditions)


async def test_observations_fall_back_to_pages_where_v2_is_missing() -> None:
    def answer(request: Request) -> Response:
        if "/v2/" in path(request) or "/local/" in path(request):
            return answer_of(404, {"message": "not here"})
        page = int(params(request)["page"])
        item = {"id": f"o{page}", "startTime": "2026-11-23T12:00:00.000Z", "type": "SPAN", "calculatedTotalCost": 0.1}
        return answer_of(200, {"data": [item], "meta": {"totalPages": 3}})

    found = [one async for batch in gateway(answer).trace_observations("t") for one in batch]
    assert [one.id for one in found] == ["o1", "o2", "o3"]
    assert found[0].cost == 0.1


async def test_an_appliance_is_asked_for_the_tree_in_two_requests() -> None:
    asked: list[str] = []

    def answer(request: Request) -> Response:
        asked.append(request.url.removeprefix(SERVER.url))
        start = int(params(request).get("offset", 0))
        many = range(start, min(start + int(params(request).get("limit", 9999)), 3000))
        items = [{"id": f"o{index}", "startTime": "2026-11-23T12:00:00.000000Z"} for index in many]
        return answer_of(200, {"data": items})

    sizes = [len(batch) async for batch in gateway(answer).trace_observations("a/b")]
    assert sizes == [1000, 2000]
    assert asked == ["/api/local/traces/a%2Fb/tree?limit=1000", "/api/local/traces/a%2Fb/tree?offset=1000"]


async def test_cursor_is_followed() -> None:
    def answer(request: Request) -> Response:
        if "/local/" in path(request):
            return Response(404, b"<html>not here</html>")
        item = {"id": params(request).get("cursor", "first"), "startTime": "2026-11-23T12:00:00.000Z"}
        meta = {} if "cursor" in params(request) else {"cursor": "second"}
        return answer_of(200, {"data": [item], "meta": meta})

    assert [one.id async for batch in gateway(answer).trace_observations("t") for one in batch] == ["first", "second"]


@pytest.mark.parametrize(
    ("status", "body", "sentence"),
    [
        (401, {"message": "Invalid credentials."}, "refused the keys"),
        (404, {"message": "Trace x not found within authorized project"}, "Trace x not found"),
        (500, {}, "failed with status 500"),
    ],
)
async def test_errors_are_sentences(status: int, body: dict[str, str], sentence: str) -> None:
    with pytest.raises(RemoteError, match=sentence) as caught:
        await gateway(lambda _: answer_of(status, body)).trace("x")
    assert caught.value.status == status


async def test_no_server_is_a_sentence_too() -> None:
    def refuse(request: Request) -> Response:
        raise NotConnected("refused")

    with pytest.raises(RemoteError, match="No Langfuse server answers at http://lf"):
        await gateway(refuse).connect()


async def test_another_kind_of_server_is_named() -> None:
    with pytest.raises(RemoteError, match="something unexpected"):
        await gateway(lambda _: Response(200, b"<html>")).connect()


async def test_health_that_is_red_is_no_error() -> None:
    health = await gateway(lambda _: answer_of(503, {"message": "Redis is down"})).health()
    assert (health.ok, health.reason) == (False, "Redis is down")


async def test_services_of_a_remote_server_are_not_here() -> None:
    with pytest.raises(RemoteError, match="cannot be seen"):
        await RemoteGateway(SERVER).status()


async def test_local_appliance_is_found_by_its_files(tmp_path: Path) -> None:
    with pytest.raises(NotRunning):
        await LocalGateway(tmp_path, may_start=False).connect()
    (tmp_path / "state.json").write_text('{"url": "http://127.0.0.1:3000", "control_socket": "/tmp/c.sock"}')
    (tmp_path / "secrets.json").write_text('{"public_key": "pk", "secret_key": "sk"}')
    found = find_appliance(tmp_path)
    assert (found.server.url, found.server.public_key, str(found.socket)) == (
        "http://127.0.0.1:3000",
        "pk",
        "/tmp/c.sock",
    )


async def test_a_local_appliance_is_asked_where_it_listens(tmp_path: Path) -> None:
    (tmp_path / "secrets.json").write_text('{"public_key": "pk", "secret_key": "sk"}')
    gateway = LocalGateway(tmp_path, may_start=False)
    async with served() as url:
        state = {"url": "https://traces.invalid", "local_url": url}
        (tmp_path / "state.json").write_text(json.dumps(state))
        assert (await gateway.connect()).url == "https://traces.invalid"
        assert (await gateway.health()).ok
        await gateway.close()


def test_params() -> None:
    pairs = encode_params({"a": None, "b": ["x", "y"], "c": True, "d": {"k": 1}, "e": [{"k": 1}]})
    assert pairs == [("b", "x"), ("b", "y"), ("c", "true"), ("d", '{"k":1}'), ("e", '[{"k":1}]')]


async def test_client_is_made_lazily() -> None:
    client = LangfuseClient("http://lf.test/", "pk", "sk")
    assert client.base_url == "http://lf.test"
    await client.close()


async def test_a_read_on_a_connection_that_just_closed_is_tried_again() -> None:
    tries: list[Request] = []

    def answer(request: Request) -> Response:
        tries.append(request)
        if len(tries) == 1:
            raise ConnectionEnded("Server disconnected")
        return answer_of(200, {"status": "OK", "version": "3"})

    assert (await gateway(answer).health()).ok
    assert len(tries) == 2


async def test_an_appliance_that_came_back_elsewhere_is_found_again(tmp_path: Path) -> None:
    state, secrets = tmp_path / "state.json", tmp_path / "secrets.json"
    state.write_text('{"url": "http://127.0.0.1:9"}')
    secrets.write_text('{"public_key": "pk", "secret_key": "sk"}')
    local = LocalGateway(tmp_path, may_start=False)
    local.server = find_appliance(tmp_path).server
    state.unlink()
    with pytest.raises(RemoteError, match="has stopped") as caught:
        await local.health()
    assert caught.value.status == 0
    async with served() as url:
        state.write_text(json.dumps({"url": url}))
        assert (await local.health()).ok
        assert local.server.url == url
        await local.close()


async def test_a_supervisor_that_is_gone_is_no_address(tmp_path: Path) -> None:
    with pytest.raises(RemoteError, match="The appliance has stopped"):
        await ControlClient(tmp_path / "control.sock").status()


async def test_a_session_has_all_its_turns() -> None:
    def answer(request: Request) -> Response:
        if "/sessions/" in path(request):
            return answer_of(200, {"id": "s", "createdAt": "2026-11-23T12:00:00.000Z"})
        start = (int(params(request)["page"]) - 1) * 100
        ids = range(start, min(start + 100, 250))
        items = [{"id": f"t{index}", "timestamp": "2026-11-23T12:00:00.000Z"} for index in ids]
        return answer_of(200, {"data": items, "meta": {"totalItems": 250}})

    assert len((await gateway(answer).session("s")).turns) == 250


@asynccontextmanager
async def served() -> AsyncIterator[str]:
    """A server that answers everything with the same project, which is also in good health."""
    body = json.dumps({"status": "OK", "version": "3", "data": [{"id": "p", "name": "shop"}]}).encode()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: %d\r\n\r\n" % len(body) + body)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
