"""What request handlers work with: settings, stores, keys."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from appliance.config import Settings
from appliance.queries.deleting import Deleter
from appliance.storage.blobs.choice import blob_store
from appliance.storage.blobs.contract import BlobStore
from appliance.storage.clickhouse.client import ClickHouse
from appliance.storage.postgres import address as postgres_address
from appliance.storage.postgres.api_keys import ApiKeys
from appliance.storage.postgres.dataset_items import DatasetItems
from appliance.storage.postgres.dataset_runs import DatasetRuns
from appliance.storage.postgres.datasets import Datasets
from appliance.storage.postgres.jobs import Jobs
from appliance.storage.postgres.media import MediaRecords
from appliance.storage.postgres.models import Models
from appliance.storage.postgres.pool import Postgres
from appliance.storage.postgres.prompts import Prompts
from appliance.storage.postgres.score_configs import ScoreConfigs
from appliance.storage.postgres.tenants import Projects
from appliance.storage.redis import address as redis_address
from appliance.storage.redis import client as redis_client
from appliance.storage.redis.client import Redis
from appliance.storage.redis.deletions import PendingDeletions
from appliance.storage.redis.ingest_stream import IngestStream
from appliance.storage.redis.live import Live
from appliance.web.key_ring import KeyRing
from appliance.web.links import Links
from appliance.web.watchers import Watchers


@dataclass(slots=True, kw_only=True)
class Context:
    """Settings and stores of one application; every store connects when first used, so web starts without them."""

    settings: Settings
    postgres: Postgres
    redis: Redis
    watchers: Watchers
    clickhouse: ClickHouse
    deleter: Deleter
    stream: IngestStream
    keys: KeyRing
    blobs: BlobStore
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the server is about to stop: endless answers end then."""

    @property
    def projects(self) -> Projects:
        """Projects, as all below of Postgres."""
        return Projects(self.postgres)

    @property
    def prompts(self) -> Prompts:
        return Prompts(self.postgres)

    @property
    def datasets(self) -> Datasets:
        return Datasets(self.postgres)

    @property
    def dataset_items(self) -> DatasetItems:
        return DatasetItems(self.postgres)

    @property
    def dataset_runs(self) -> DatasetRuns:
        return DatasetRuns(self.postgres)

    @property
    def models(self) -> Models:
        return Models(self.postgres)

    @property
    def score_configs(self) -> ScoreConfigs:
        return ScoreConfigs(self.postgres)

    @property
    def media(self) -> MediaRecords:
        return MediaRecords(self.postgres)

    @property
    def jobs(self) -> Jobs:
        return Jobs(self.postgres)

    @property
    def links(self) -> Links:
        """Signed links to the content of media."""
        return Links(self.settings)

    async def open(self) -> None:
        """Begin to connect, without waiting for any store."""
        await self.postgres.open()

    async def close(self) -> None:
        """End all connections."""
        await self.watchers.close()
        await self.postgres.close()
        await self.redis.aclose()
        await self.clickhouse.close()


def require_addresses(settings: Settings) -> None:
    """Raises ConfigError when a store has no address; contacts none."""
    postgres_address.address_of(settings.postgres)
    redis_address.address_of(settings.redis)
    ClickHouse(settings.clickhouse)


def create_context(settings: Settings) -> Context:
    """Clients for all stores; raises ConfigError when an address is missing."""
    postgres = Postgres(settings.postgres)
    redis = redis_client.connect(settings.redis)
    pending = PendingDeletions(redis)
    clickhouse = ClickHouse(settings.clickhouse, has_deletions=pending.any)
    return Context(
        settings=settings,
        postgres=postgres,
        redis=redis,
        watchers=Watchers(Live(redis), settings.max_watchers),
        clickhouse=clickhouse,
        deleter=Deleter(clickhouse, pending, Jobs(postgres)),
        stream=IngestStream(redis, settings.ingestion),
        keys=KeyRing(ApiKeys(postgres, settings.salt)),
        blobs=blob_store(settings),
    )
