"""Heartbeats of the workers: a key per worker that expires when it is not renewed."""

from __future__ import annotations

from typing import Any

import msgspec
from redis.asyncio import Redis

from appliance.storage.redis.client import translated_errors
from appliance.storage.redis.keys import key
from appliance.storage.redis.scripts import Script

BEAT_EVERY_S = 3.0
ALIVE_FOR_S = 10

# Members are worker names, scores the second of their last beat: found without scanning the key space.
_WORKERS = key("workers")


class _State(msgspec.Struct):
    patterns_set_aside: list[str] = []


_state = msgspec.json.Decoder(_State)


class Heartbeats:
    """Written by workers, read by health checks. Every method raises StoreUnavailable."""

    def __init__(self, client: Redis) -> None:
        self._redis = client
        self._beat_script = Script(client, "beat")

    async def beat(self, worker: str, state: dict[str, object]) -> None:
        """Record that `worker` is alive, with its state."""
        with translated_errors():
            keys = [key("worker", worker), _WORKERS]
            await self._beat_script(keys, [worker, msgspec.json.encode(state), ALIVE_FOR_S])

    async def stop(self, worker: str) -> None:
        """Record that `worker` has stopped on purpose."""
        with translated_errors():
            async with self._redis.pipeline(transaction=False) as pipe:
                pipe.delete(key("worker", worker))
                pipe.zrem(_WORKERS, worker)
                await pipe.execute()

    async def alive(self) -> list[str]:
        """Names of the workers with a heartbeat within the last ten seconds."""
        with translated_errors():
            seconds, _ = await self._redis.time()
            names: Any = await self._redis.zrangebyscore(_WORKERS, seconds - ALIVE_FOR_S, "+inf")
        return sorted(name.decode() for name in names)

    async def patterns_set_aside(self) -> set[str]:
        """Patterns of models that some running worker has disabled because they take too long."""
        names = await self.alive()
        with translated_errors():
            states: Any = await self._redis.mget([key("worker", name) for name in names]) if names else []
        return {pattern for state in states if state for pattern in _state.decode(state).patterns_set_aside}
