"""Checks a Redis server: its kind, version and durability, and the permissions of its user."""

from __future__ import annotations

from typing import Any, Final

import redis.exceptions
from redis.asyncio import Redis

from appliance.config import RedisSettings
from appliance.errors import MigrationFailed
from appliance.storage.redis.client import connect, translated_errors
from appliance.storage.redis.ingest_stream import FORMAT, FORMAT_KEY
from appliance.storage.redis.keys import key

MINIMUM_VERSION: Final = (6, 2)
_GRANTS: Final = "Give it the rules in docs/security.md."


async def check_server(settings: RedisSettings) -> list[str]:
    """Warnings about this server, one sentence each.

    Raises MigrationFailed for a server that cannot be used, StoreUnavailable for one that does not answer.
    """
    client = connect(settings)
    try:
        with translated_errors():
            try:
                await _require_permissions(client)
                await _require_format(client)
                facts: dict[str, Any] = await client.info()
            except redis.exceptions.NoPermissionError as error:
                raise MigrationFailed(f"This user of Redis may not do enough: {error}.", hint=_GRANTS) from error
            except (
                redis.exceptions.AuthenticationError,
                redis.exceptions.AuthenticationWrongNumberOfArgsError,
            ) as error:
                raise MigrationFailed(
                    f"Redis refuses the login: {error}.", hint="Fix user name and password."
                ) from error
            except redis.exceptions.InvalidResponse as error:
                raise MigrationFailed(
                    "The server at the Redis address does not speak Redis.", hint="Fix the address of Redis."
                ) from error
            except redis.exceptions.ResponseError as error:
                if "unknown command" not in str(error).lower():
                    raise
                raise MigrationFailed(f"This Redis is too old: {error}.", hint=_newer()) from error
        return judge(facts)
    finally:
        await client.aclose()


def judge(facts: dict[str, Any]) -> list[str]:
    """Warnings about a server by its INFO; raises MigrationFailed when it cannot be used."""
    version = str(facts.get("redis_version", "0"))
    numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
    if numbers < MINIMUM_VERSION:
        raise MigrationFailed(f"Redis {version} is too old.", hint=_newer())
    policy = str(facts.get("maxmemory_policy", "noeviction"))
    if policy.startswith("allkeys"):
        raise MigrationFailed(
            f"This Redis deletes accepted requests when its memory is full (maxmemory-policy {policy}).",
            hint="Set its maxmemory-policy to noeviction.",
        )
    warnings = []
    if policy != "noeviction":
        warnings.append(f"Redis may forget recent updates when its memory is full: maxmemory-policy is {policy}.")
    if not facts.get("aof_enabled", 1) and not int(facts.get("connected_slaves", 0)):
        warnings.append("Redis keeps what it accepts in memory only: no append-only file and no replica.")
    return warnings


async def _require_permissions(client: Redis) -> None:
    """Run once each kind of command that web and worker use."""
    name, members = key("check"), key("check", "members")
    async with client.pipeline(transaction=True) as pipe:
        pipe.xadd(name, {"is": "checked"})
        pipe.xgroup_create(name, "checkers", id="0")
        pipe.eval("return redis.call('XLEN', KEYS[1])", 1, name)
        pipe.zadd(members, {"one": 1})
        pipe.delete(name, members)
        pipe.publish(key("check"), "done")
        pipe.time()
        await pipe.execute()


async def _require_format(client: Redis) -> None:
    """Raises MigrationFailed for a queue of a newer version; stores the format where it is missing."""
    stored = await client.get(FORMAT_KEY)
    if stored is None:
        await client.set(FORMAT_KEY, FORMAT, nx=True)
    elif int(stored) > FORMAT:
        raise MigrationFailed(
            f"The queue in Redis was written by a newer version (format {int(stored)}).",
            hint="Install that version again, or use another data directory.",
        )


def _newer() -> str:
    return f"{'.'.join(map(str, MINIMUM_VERSION))} or newer is needed, or any Valkey."
