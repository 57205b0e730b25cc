"""The whole way from the queue to the tables over a Redis Cluster and over sentinels, through real failovers."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import sys
from collections.abc import AsyncIterator, Callable, Iterator

import pytest
import redis

from appliance.config import RedisSettings, Settings, to_environ
from appliance.errors import StoreUnavailable
from appliance.orchestrator.processes.child import inherited_environ
from appliance.orchestrator.processes.probes import ask_redis_of
from appliance.storage.redis.check import check_server
from appliance.storage.redis.client import connect
from appliance.storage.redis.connections import SLOT
from appliance.storage.redis.heartbeats import Heartbeats
from appliance.storage.redis.keys import TAG, key
from appliance.storage.redis.live import Live
from tests.integration.external.redis_servers import PASSWORD, RedisServer, cluster, sentinels, until
from tests.integration.ingestion.conftest import Pipeline
from tests.integration.ingestion.test_worker import event, export

DEADLINE_S = 30
Watched = tuple[list[RedisServer], list[RedisServer]]


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[RedisServer]]:
    with cluster(tmp_path_factory.mktemp("cluster")) as servers:
        yield servers


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    with sentinels(tmp_path_factory.mktemp("sentinels")) as servers:
        yield servers


@contextlib.asynccontextmanager
async def moved(pipeline: Pipeline, settings: RedisSettings) -> AsyncIterator[Pipeline]:
    """The pipeline with another Redis, whose replica must have every request."""
    client = connect(settings)
    whole = dataclasses.replace(
        pipeline.settings,
        redis=settings,
        ingestion=dataclasses.replace(pipeline.settings.ingestion, redis_replicas=1),
    )
    try:
        yield Pipeline(whole, pipeline.clickhouse, client)
    finally:
        await client.aclose()


def of_cluster(nodes: list[RedisServer]) -> RedisSettings:
    places = ",".join(f"127.0.0.1:{node.port}" for node in nodes[:2])
    return RedisSettings(cluster_enabled=True, cluster_nodes=places, auth=PASSWORD)


def of_sentinels(watching: list[RedisServer]) -> RedisSettings:
    return RedisSettings(
        sentinel_enabled=True,
        sentinel_nodes=",".join(f"127.0.0.1:{each.port}" for each in watching),
        sentinel_master_name="traces",
        sentinel_password=PASSWORD,
        auth=PASSWORD,
    )


def owner_of(nodes: list[RedisServer]) -> RedisServer:
    """The node that holds our slot now."""
    for node in nodes:
        with contextlib.suppress(redis.RedisError):
            for first, last, (_, port, *_), *_ in node.ask("CLUSTER SLOTS"):
                if first <= SLOT <= last:
                    return next(each for each in nodes if each.port == port)
    raise AssertionError("no node knows the owner")


def master_of(servers: list[RedisServer]) -> RedisServer:
    """The one that is a master; there is one only once all have heard of it."""
    [master] = [server for server in servers if server.replication()["role"] == "master"]
    return master


def is_settled(servers: list[RedisServer], watching: list[RedisServer]) -> bool:
    """Whether there is one master, which all others follow and all sentinels name."""
    try:
        masters = [server.port for server in servers if server.replication()["role"] == "master"]
        followed = {_master_port(server) for server in servers if server.port not in masters}
        named = {int(each.ask("SENTINEL", "GET-MASTER-ADDR-BY-NAME", "traces")[1]) for each in watching}
    except redis.RedisError:
        return False
    return len(masters) == 1 and {*masters} == followed == named


async def is_alive(settings: Settings, worker: str) -> bool:
    """What a container's health check says of a worker."""
    program = (sys.executable, "-m", "appliance.storage.redis.worker_healthcheck", worker)
    process = await asyncio.create_subprocess_exec(*program, env={**inherited_environ(), **to_environ(settings)})
    return await process.wait() == 0


async def put_through(pipe: Pipeline, body: bytes) -> None:
    """Sends a payload as an exporter does: again until it is accepted."""
    async with asyncio.timeout(DEADLINE_S):
        while True:
            try:
                await pipe.put("otlp-protobuf", body)
                return
            except StoreUnavailable:
                await asyncio.sleep(0.05)


async def rides_out(pipe: Pipeline, first: int, fail: Callable[[], None]) -> None:
    """Load, a failover in its midst, and in the end each accepted span once."""
    numbers = range(first, first + 60)
    async with pipe.worker():
        for number in numbers:
            if number == first + 20:
                await asyncio.to_thread(fail)
            await put_through(pipe, export(number))
        async with asyncio.timeout(DEADLINE_S):
            while True:
                with contextlib.suppress(StoreUnavailable):
                    if not (await pipe.stream.backlog()).backlog:
                        break
                await asyncio.sleep(0.05)
    expected = [number.to_bytes(8, "big").hex() for number in numbers]
    # What was acknowledged by a master that was then deposed comes again, from earlier tests, too.
    rows = await pipe.rows("SELECT id FROM observations FINAL ORDER BY id")
    assert [row["id"] for row in rows if row["id"] >= expected[0]] == expected


async def test_every_key_lives_in_one_slot_of_a_cluster(pipeline: Pipeline, nodes: list[RedisServer]) -> None:
    async with moved(pipeline, of_cluster(nodes)) as pipe:
        assert await check_server(pipe.settings.redis) == []
        await pipe.put("otlp-protobuf", export(1))
        await pipe.put_events(
            event("span-create", 1, id="o", traceId="t", name="legacy"), event("trace-create", 2, id="t")
        )
        await pipe.put("otlp-protobuf", b"cannot be decoded")
        await pipe.work_off()
        assert (await pipe.stream.backlog()).dead_letters == 1
        beats, live = Heartbeats(pipe.redis), Live(pipe.redis)
        await beats.beat("worker-9", {"pid": 1})
        assert await beats.alive() == ["worker-9"]
        assert b'"pid":1' in await ask_redis_of(pipe.settings.redis, "GET", key("worker", "worker-9"))
        assert await is_alive(pipe.settings, "worker-9") and not await is_alive(pipe.settings, "worker-8")
        messages = live.messages("p", silence_s=5)
        assert await anext(messages) is not None
        await live.publish("p", ["t"])
        assert (found := await anext(messages)) is not None and found.trace_ids == b'["t"]'
        await messages.aclose()
        names: list[bytes] = [name for node in nodes[:3] for name in node.ask("KEYS", "*")]
        assert names and all(name.startswith(TAG.encode()) for name in names)
    assert await pipeline.rows("SELECT count() AS n FROM observations FINAL") == [{"n": 2}]


async def test_a_cluster_that_loses_the_owner_of_our_keys(pipeline: Pipeline, nodes: list[RedisServer]) -> None:
    owner = owner_of(nodes)
    async with moved(pipeline, of_cluster(nodes)) as pipe:
        await rides_out(pipe, 1000, owner.kill)
    assert owner_of([node for node in nodes if node is not owner]) is not owner
    owner.start()


async def test_a_cluster_that_moves_our_keys_by_hand(pipeline: Pipeline, nodes: list[RedisServer]) -> None:
    def swap() -> None:
        replica = next(node for node in nodes if _master_port(node) == owner_of(nodes).port)
        replica.ask("CLUSTER", "FAILOVER")

    async with moved(pipeline, of_cluster(nodes)) as pipe:
        await rides_out(pipe, 2000, swap)


async def test_sentinels_that_promote_a_replica(pipeline: Pipeline, watched: Watched) -> None:
    servers, watching = watched
    settings = of_sentinels(watching)
    await asyncio.to_thread(until, lambda: is_settled(servers, watching))
    before = master_of(servers)

    def swap() -> None:
        watching[0].ask("SENTINEL", "FAILOVER", "traces")

    async with moved(pipeline, settings) as pipe:
        assert await check_server(settings) == []
        await rides_out(pipe, 3000, swap)
    await asyncio.to_thread(until, lambda: is_settled(servers, watching))
    assert master_of(servers) is not before
    assert await ask_redis_of(settings, "PING") in (b"True", b"PONG")


async def test_sentinels_whose_master_is_killed(pipeline: Pipeline, watched: Watched) -> None:
    servers, watching = watched
    await asyncio.to_thread(until, lambda: is_settled(servers, watching))
    before = master_of(servers)
    async with moved(pipeline, of_sentinels(watching)) as pipe:
        await rides_out(pipe, 4000, before.kill)
    before.start()
    await asyncio.to_thread(until, lambda: is_settled(servers, watching))


async def test_a_request_that_no_replica_has_is_not_accepted(pipeline: Pipeline, watched: Watched) -> None:
    servers, watching = watched
    # After a failover two may call themselves master for a moment.
    await asyncio.to_thread(until, lambda: is_settled(servers, watching))
    present = master_of(servers)
    for server in servers:
        if server is not present:
            server.kill()
    async with moved(pipeline, of_sentinels(watching)) as pipe:
        with pytest.raises(StoreUnavailable, match="0 of 1 replicas"):
            await pipe.put("otlp-protobuf", export(1))


def _master_port(node: RedisServer) -> int:
    return int(node.replication().get("master_port", 0))
