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


async def test_a_lease_that_has_ended_is_lost_and_can_be_taken_again(pipeline: Pipeline) -> None:
    """Each job keeps one lease for all its rounds."""
    mine, other = Lease(pipeline.redis, "job", 100), Lease(pipeline.redis, "job", 100)
    assert await mine.take()
    await pipeline.redis.delete(key("lease", "job"))
    assert (await other.take(), await mine.renew()) == (True, False)
    await mine.give_back()
    assert not await mine.take()
    await other.give_back()
    assert (await mine.take(), await mine.renew(), await other.renew()) == (True, True, False)
