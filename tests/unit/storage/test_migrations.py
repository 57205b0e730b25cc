"""The numbers of migrations, which is what a database remembers them by."""

from __future__ import annotations

from appliance.storage.postgres.migrate import known_migrations


def test_postgres_migrations_are_numbered_without_gaps_or_repeats() -> None:
    versions = [migration.version for migration in known_migrations()]
    assert versions == list(range(1, len(versions) + 1))
