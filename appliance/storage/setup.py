"""Prepare all stores for use: migrations and the first tenants, under one lock, safe to run again at any time."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

from appliance.config import Settings
from appliance.errors import ConfigError
from appliance.paths import DataDir
from appliance.storage.clickhouse.migrations import migrate as migrate_clickhouse
from appliance.storage.postgres.api_keys import KeyPair
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
        known = stored_key_pair(settings.data_dir)
        pair = await provision(connection, settings.init, known, settings.salt, report)
        if pair is not None and pair != known:
            _keep(settings, pair, report)
        report("Project: ready")


def stored_key_pair(data_dir: Path) -> KeyPair | None:
    """The first project's key pair as this data directory knows it, None when it knows none; raises ConfigError."""
    known = _read(DataDir(data_dir).secrets_file)
    if known.get("public_key") and known.get("secret_key"):
        return KeyPair(known["public_key"], known["secret_key"])
    return None


def store_key_pair(data_dir: Path, pair: KeyPair) -> Path:
    """Write the key pair into secrets.json, which only its owner can read, and leave the rest of it; returns the file.

    Raises ConfigError when it cannot be written.
    """
    file = DataDir(data_dir).secrets_file
    known = _read(file) | {"public_key": pair.public_key, "secret_key": pair.secret_key}
    draft = file.with_suffix(".new")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
            json.dump(known, out, indent=2)
        draft.replace(file)
    except OSError as error:
        raise ConfigError(
            f"{file} cannot be written: {error.strerror}.", hint="Set LANGFUSE_LOCAL_DATA_DIR."
        ) from error
    return file


def _keep(settings: Settings, pair: KeyPair, report: Callable[[str], None]) -> None:
    """Stores the pair, where there is a data directory for it or nobody else knows the pair."""
    is_known = pair.public_key == settings.init.public_key
    is_stored = _read(DataDir(settings.data_dir).secrets_file).get("public_key") == pair.public_key
    if (settings.data_dir.is_dir() or not is_known) and not (is_stored and not pair.secret_key):
        report(f"Project: key pair stored in {store_key_pair(settings.data_dir, pair)}")


def _read(file: Path) -> dict[str, str]:
    try:
        known: dict[str, str] = json.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, ValueError) as error:
        raise ConfigError(f"{file} cannot be read: {error}.", hint="Restore it from a backup.") from error
    return known
