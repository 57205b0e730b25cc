"""Prepare all stores for use: migrations and the first tenants, under one lock, safe to run again at any time."""

from __future__ import annotations

from collections.abc import Callable

from appliance.config import Settings
from appliance.data_dir.secrets import read_secrets, store_key_pair
from appliance.model.key_pair import KeyPair
from appliance.paths import DataDir
from appliance.storage.clickhouse.migrations import migrate as migrate_clickhouse
from appliance.storage.postgres.migrate import apply_migrations, exclusive_connection
from appliance.storage.postgres.provisioning import provision
from appliance.storage.redis.check import check_server


async def prepare(settings: Settings, report: Callable[[str], None]) -> None:
    """Examine Redis, migrate Postgres and ClickHouse, and create the first organization, project and key pair.

    `report` is told each step in a few words. A second caller waits until the first is done.
    Raises StoreUnavailable, MigrationFailed and ConfigError; calling again goes on where it stopped.
    """
    for warning in await check_server(settings.redis):
        report(f"Warning: {warning}")
    async with exclusive_connection(settings.postgres) as connection:
        names = await apply_migrations(connection)
        report(f"Postgres: {len(names)} migrations applied" if names else "Postgres: schema is current")
        await migrate_clickhouse(settings.clickhouse, report)
        report("ClickHouse: schema is current")
        secrets = read_secrets(DataDir(settings.data_dir))
        known = secrets.key_pair if secrets and secrets.public_key and secrets.secret_key else None
        pair = await provision(connection, settings.init, known, settings.salt, report)
        if pair is not None and pair != known:
            _keep(settings, pair, report)
        report("Project: ready")


def _keep(settings: Settings, pair: KeyPair, report: Callable[[str], None]) -> None:
    """Stores the pair, where there is a data directory for it or nobody else knows the pair."""
    data_dir = DataDir(settings.data_dir)
    is_known = pair.public_key == settings.init.public_key
    stored = read_secrets(data_dir)
    is_stored = stored is not None and stored.public_key == pair.public_key
    if (settings.data_dir.is_dir() or not is_known) and not (is_stored and not pair.secret_key):
        store_key_pair(data_dir, pair)
        report(f"Project: key pair stored in {data_dir.secrets_file}")
