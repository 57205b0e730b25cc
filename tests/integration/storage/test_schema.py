"""Tables in a schema of their own, as Prisma's parameter `schema` names it."""

from __future__ import annotations

import dataclasses

import pytest

from appliance.config import PostgresSettings, Settings
from appliance.errors import MigrationFailed
from appliance.storage.postgres.migrate import apply_migrations, exclusive_connection, known_migrations


def with_schema(stores: Settings, name: str) -> PostgresSettings:
    url = stores.postgres.url
    return dataclasses.replace(stores.postgres, url=f"{url}{'&' if '?' in url else '?'}schema={name}")


@pytest.mark.parametrize("name", ["own", "my%20%22own%22%5C"])
async def test_a_schema_that_is_not_there_is_made(stores: Settings, name: str) -> None:
    for migrations in (len(known_migrations()), 0):
        async with exclusive_connection(with_schema(stores, name)) as connection:
            assert len(await apply_migrations(connection)) == migrations
            found = await connection.execute("SELECT current_schema() AS here, to_regclass('api_keys') AS keys")
            row = await found.fetchone()
            assert row is not None and row["here"] not in (None, "public") and row["keys"]


async def test_a_schema_that_may_not_be_made_is_one_sentence(stores: Settings) -> None:
    with pytest.raises(MigrationFailed, match="schema of DATABASE_URL cannot be created"):
        async with exclusive_connection(with_schema(stores, "pg_own")):
            pass
