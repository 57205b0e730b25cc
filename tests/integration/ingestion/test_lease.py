"""A right that only one has at a time."""

from __future__ import annotations

from appliance.storage.redis.keys import key
from appliance.storage.redis.lease import Lease
from tests.integration.ingestion.conftest import Pipeline


async def test_only_who_holds_a_lease_renews_it_or_gives_it_back(pipeline: Pipeline) -> None:
    mine, other = Lease(pipeline.redis, "job", 100), Lease(pipeline.redis, "job", 100)
    assert (await mine.take(), await other.take()) == (True, False)
    await pipeline.redis.expire(key("lease", "job"), 5)
    assert not await other.renew()
    await other.give_back()
    assert 0 < await pipeline.redis.ttl(key("lease", "job")) <= 5
    assert await mine.renew()
    assert await pipeline.redis.ttl(key("lease", "job")) > 5
    await mine.give_back()
    assert await other.take()
