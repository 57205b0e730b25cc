"""Prepare all stores for use: migrations and the first tenants, under one lock, safe to run again at any time."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

from appliance.config import Settings
from appliance.paths import DataDir
from appliance.storage.clickhouse.migrations import migrate as migrate_clickhouse
from appliance.storage.postgres.api_keys import KeyPair, new_key_pair
from appliance.storage.postgres.migrate import apply_migrations, exclusive_connection
from appliance.storage.postgres.tenants import has_project, provision_first_project, provision_settings

# Beside the orchestrator's secrets, for machines where `migrate` runs alone.
_KEYS_FILE = "project-keys.json"


async def prepare(settings: Settings, report: Callable[[str], None]) -> None:
    """Migrate Postgres and ClickHouse and create the first organization, project and key pair.

    `report` is told each step in a few words. A second caller waits until the first is done.
    Raises StoreUnavailable, MigrationFailed and ConfigError; calling again goes on where it stopped.
    """
    async with exclusive_connection(settings.postgres) as connection:
        names = await apply_migrations(connection)
        report(f"Postgres: {len(names)} migrations applied" if names else "Postgres: schema is current")
        await migrate_clickhouse(settings.clickhouse)
        report("ClickHouse: schema is current")
        await provision_settings(connection, settings.init, settings.salt)
        if not settings.init.org_id:
            pair = stored_key_pair(settings.data_dir)
            if pair is None and not await has_project(connection):
                pair = new_key_pair()
                report(f"Project: key pair stored in {store_key_pair(settings.data_dir, pair)}")
            if pair is not None:
                await provision_first_project(connection, pair, settings.salt)
        report("Project: ready")


def stored_key_pair(data_dir: Path) -> KeyPair | None:
    """The first project's key pair as this data directory knows it, None when it knows none."""
    for file in (DataDir(data_dir).secrets_file, data_dir / _KEYS_FILE):
        try:
            known: dict[str, str] = json.loads(file.read_text())
        except FileNotFoundError:
            continue
        if known.get("public_key") and known.get("secret_key"):
            return KeyPair(known["public_key"], known["secret_key"])
    return None


def store_key_pair(data_dir: Path, pair: KeyPair) -> Path:
    """Write the key pair to a file that only its owner can read, whole or not at all; returns the file."""
    file = data_dir / _KEYS_FILE
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        json.dump({"public_key": pair.public_key, "secret_key": pair.secret_key}, out, indent=2)
    fresh.replace(file)
    return file
