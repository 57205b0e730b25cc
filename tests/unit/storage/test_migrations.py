"""The numbers of migrations, which is what a database remembers them by."""

from __future__ import annotations

from appliance.storage.clickhouse.migrations import load_migrations
from appliance.storage.postgres.migrate import known_migrations


def test_postgres_migrations_are_numbered_without_gaps_or_repeats() -> None:
    versions = [migration.version for migration in known_migrations()]
    assert versions == list(range(1, len(versions) + 1))


def test_each_migration_has_a_number_of_its_own() -> None:
    """Of two with one number, a database that has the first never gets the second."""
    versions = [migration.version for migration in load_migrations()]
    assert versions == list(range(1, len(versions) + 1))
