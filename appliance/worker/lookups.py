"""What the worker looks up in Postgres: the models of projects, prompts by version, score configs.

Answers are cached until Postgres counts a change of their kind. A change that was committed before data was accepted
always counts for that data, unless Postgres is away: then the last known answers do.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Collection, Hashable
from typing import Final, Generic, TypeVar

from appliance.cancelling import cancel
from appliance.errors import LookupUnavailable, StoreUnavailable
from appliance.model.price_table import built_in_models
from appliance.model.pricing import Pricing
from appliance.model.score_configs import ScoreConfig
from appliance.storage.postgres.models import Models
from appliance.storage.postgres.pool import Postgres
from appliance.storage.postgres.references import ConfigKey, PromptKey, References

log = logging.getLogger(__name__)

FRESH_FOR_S: Final = 1.0
"""Seconds an answer from Postgres is also used for later entries: the sender's clock may differ from ours."""
ASK_AGAIN_S: Final = 0.5
"""Seconds between attempts to reach a Postgres that is away."""
_MAX_REMEMBERED: Final = 20_000

Key = TypeVar("Key", bound=Hashable)
Found = TypeVar("Found")


class Remembered(Generic[Key, Found]):
    """A cache of answers by key, also of missing ones; those that it lacks are queried together."""

    def __init__(self, ask: Callable[[Collection[Key]], Awaitable[dict[Key, Found]]]) -> None:
        self._ask = ask
        self._known: dict[Key, Found | None] = {}

    def forget(self) -> None:
        """Forget all answers."""
        self._known = {}

    def has_asked_for(self, keys: Collection[Key]) -> bool:
        """Whether all of `keys` are cached."""
        return all(key in self._known for key in keys)

    async def get(self, keys: Collection[Key]) -> dict[Key, Found]:
        """Those of `keys` that exist; raises StoreUnavailable when some are not cached and Postgres is away."""
        known = self._known  # `forget` replaces it, also while a query runs
        answers = {key: value for key in keys if (value := known.get(key)) is not None}
        if missing := {key for key in keys if key not in known}:
            answer = await self._ask(missing)
            if len(known) + len(missing) > _MAX_REMEMBERED:
                known.clear()
            known.update({key: answer.get(key) for key in missing})
            answers |= answer
        return answers


class PostgresLookups:
    """The lookups of one worker process."""

    def __init__(self, postgres: Postgres) -> None:
        self._models = Models(postgres)
        self._references = References(postgres)
        self._pricing: Pricing | None = None
        self._changes: dict[str, int] = {}
        self._prompts: Remembered[PromptKey, str] = Remembered(self._references.prompt_ids)
        self._configs: Remembered[ConfigKey, ScoreConfig] = Remembered(self._references.score_configs)
        self._asked_at = 0.0
        """When Postgres was last queried with success, in seconds of the monotonic clock."""
        self._asked_us = 0
        """The same moment, in microseconds since the epoch."""
        self._retrying: asyncio.Task[None] | None = None
        """Retries while Postgres is away."""

    @property
    def pricing(self) -> Pricing:
        """All models; only after `load`."""
        assert self._pricing is not None, "load() comes first"
        return self._pricing

    async def load(self) -> None:
        """Read the models before the first entry; raises StoreUnavailable, then call it again."""
        if self._pricing is None:
            await self._ask()

    async def refresh(self, accepted_us: int) -> None:
        """Notice every change that was made before `accepted_us`, in microseconds since the epoch.

        A Postgres that goes away is waited for once; while it stays away, a task in the background retries.
        """
        is_fresh = time.monotonic() - self._asked_at < FRESH_FOR_S
        if (is_fresh and accepted_us < self._asked_us) or self._is_away:
            return
        try:
            await self._ask()
        except StoreUnavailable as error:
            log.warning("Models, prompts and score configs stay as last known: %s", error)
            self._ask_in_background()

    async def prompt_ids(self, keys: Collection[PromptKey]) -> dict[PromptKey, str]:
        """Ids of the prompts that exist; raises LookupUnavailable for one that was never looked up before."""
        return await self._looked_up(self._prompts, keys)

    async def score_configs(self, keys: Collection[ConfigKey]) -> dict[ConfigKey, ScoreConfig]:
        """The score configs that exist; raises LookupUnavailable for one that was never looked up before."""
        return await self._looked_up(self._configs, keys)

    async def answers(self) -> None:
        """Wait until Postgres is not known to be away."""
        while self._is_away and self._retrying is not None:
            await asyncio.wait({self._retrying})

    async def close(self) -> None:
        """End the task in the background."""
        if self._retrying is not None:
            await cancel(self._retrying)

    @property
    def _is_away(self) -> bool:
        return self._retrying is not None and not self._retrying.done()

    async def _looked_up(self, remembered: Remembered[Key, Found], keys: Collection[Key]) -> dict[Key, Found]:
        if self._is_away and not remembered.has_asked_for(keys):  # each query would take seconds to fail
            raise LookupUnavailable("Postgres is away.")
        try:
            return await remembered.get(keys)
        except StoreUnavailable as error:
            if not self._is_away:
                self._ask_in_background()
            raise LookupUnavailable(error.message) from error

    def _ask_in_background(self) -> None:
        self._retrying = asyncio.create_task(self._ask_until_answered())

    async def _ask_until_answered(self) -> None:
        while True:
            await asyncio.sleep(ASK_AGAIN_S)
            with contextlib.suppress(StoreUnavailable):
                await self._ask()
                return

    async def _ask(self) -> None:
        asked_at, asked_us = time.monotonic(), time.time_ns() // 1000
        changes = await self._references.changes()
        if self._pricing is None or changes["models"] != self._changes["models"]:
            self._pricing = Pricing(built_in_models(), await self._models.of_all_projects())
        for noun, remembered in (("prompts", self._prompts), ("score_configs", self._configs)):
            if changes[noun] != self._changes.get(noun):
                remembered.forget()
        self._changes, self._asked_at, self._asked_us = changes, asked_at, asked_us
