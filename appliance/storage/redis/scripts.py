"""Atomic steps: the Lua scripts in `lua/`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from redis.asyncio import Redis
from redis.commands.core import AsyncScript

Argument = str | bytes | int


@cache
def _text(name: str) -> str:
    return (files(__package__) / "lua" / f"{name}.lua").read_text("utf-8")


class Script:
    """One script of `lua/`, called by its hash, and sent as text when Redis does not know it yet."""

    def __init__(self, client: Redis, name: str) -> None:
        self._script: AsyncScript = client.register_script(_text(name))

    async def __call__(self, keys: list[str], arguments: Sequence[Argument], pipeline: Any = None) -> Any:
        """Call the script and return its result, or None in a `pipeline`; raises the driver's errors."""
        return await self._script(keys=keys, args=arguments, client=pipeline)
