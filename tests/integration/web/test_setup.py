"""Preparing the stores: repeatable, under a lock, with the tenants that were asked for."""

from __future__ import annotations

import asyncio
import dataclasses
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import bcrypt
import psycopg
import pytest

from appliance.config import InitSettings, Settings
from appliance.data_dir.secrets import read_secrets, store_key_pair
from appliance.errors import MigrationFailed, StoreUnavailable
from appliance.model.key_pair import KeyPair
from appliance.paths import DataDir
from appliance.storage.clickhouse import migrations as clickhouse_migrations
from appliance.storage.postgres import migrate
from appliance.storage.postgres.api_keys import ApiKeys, fast_hash
from appliance.storage.postgres.migrate import PostgresMigration, apply_migrations, exclusive_connection
from appliance.storage.postgres.pool import Postgres
from appliance.storage.redis.ingest_stream import FORMAT, FORMAT_KEY
from appliance.storage.setup import prepare
from appliance.web.context import Context

INIT = InitSettings(
    org_id="org-a",
    project_id="project-a",
    public_key="pk-init",
    secret_key="sk-init",
    user_email="Owner@Example.com",
    user_password="secret",
    project_retention_days=30,
)


def stored_keys(folder: Path) -> KeyPair:
    """The key pair in secrets.json."""
    secrets = read_secrets(DataDir(folder))
    assert secrets is not None
    return secrets.key_pair


@pytest.fixture
async def empty(prepared: Settings) -> AsyncIterator[Settings]:
    """The same stores with a Postgres database that holds nothing."""
    async with await psycopg.AsyncConnection.connect(prepared.postgres.url, autocommit=True) as connection:
        await connection.execute("CREATE DATABASE empty_one")
        base, _, options = prepared.postgres.url.partition("?")
        url = f"{base.rpartition('/')[0]}/empty_one" + (f"?{options}" if options else "")
        yield dataclasses.replace(prepared, postgres=dataclasses.replace(prepared.postgres, url=url))
        await connection.execute("DROP DATABASE empty_one WITH (FORCE)")


async def test_several_starters_wait_for_each_other(prepared: Settings) -> None:
    steps: list[str] = []
    await asyncio.gather(*(prepare(prepared, steps.append) for _ in range(3)))
    assert steps.count("Project: ready") == 3


async def test_without_init_a_first_key_pair_is_made_and_kept_private(empty: Settings, tmp_path: Path) -> None:
    settings = dataclasses.replace(empty, data_dir=tmp_path, init=InitSettings())
    await prepare(settings, lambda step: None)
    pair = stored_keys(tmp_path)
    assert pair is not None
    await prepare(settings, lambda step: None)
    assert stored_keys(tmp_path) == pair
    assert stat.S_IMODE((tmp_path / "secrets.json").stat().st_mode) == 0o600
    postgres = Postgres(settings.postgres)
    await postgres.open()
    owner = await ApiKeys(postgres, settings.salt).owner_by_secret(pair.public_key, pair.secret_key)
    await postgres.close()
    assert owner is not None and owner.project_id == "local-project"


async def test_init_settings_create_and_never_change(prepared: Settings, context: Context) -> None:
    settings = dataclasses.replace(prepared, init=INIT)
    await prepare(settings, lambda step: None)
    renamed = dataclasses.replace(INIT, project_name="Other", secret_key="sk-other")
    await prepare(dataclasses.replace(prepared, init=renamed), lambda step: None)
    keys = ApiKeys(context.postgres, prepared.salt)
    owner = await keys.owner_by_secret("pk-init", "sk-init")
    assert owner is not None and owner.project_id == "project-a"
    assert await keys.owner_by_secret("pk-init", "sk-other") is None
    role = await context.postgres.row(
        "SELECT role FROM organization_memberships m JOIN users u ON u.id = m.user_id WHERE email = 'owner@example.com'"
    )
    assert role == {"role": "OWNER"}


async def test_a_key_moves_to_the_project_that_asks_for_it(prepared: Settings, context: Context) -> None:
    for project_id in ("project-b", "project-c"):
        init = InitSettings(org_id="org-b", project_id=project_id, public_key="pk-moving", secret_key="sk-moving")
        await prepare(dataclasses.replace(prepared, init=init), lambda step: None)
    owner = await ApiKeys(context.postgres, prepared.salt).owner_by_public_key("pk-moving")
    assert owner is not None and owner.project_id == "project-c"


async def test_another_salt_gets_a_new_fast_hash(prepared: Settings, context: Context) -> None:
    await prepare(dataclasses.replace(prepared, init=INIT), lambda step: None)
    salted = ApiKeys(context.postgres, "another salt")
    assert await salted.owner_by_secret("pk-unknown", "sk-init") is None
    assert await salted.owner_by_secret("pk-init", "sk-init") is not None
    assert await salted.owner_by_secret("pk-unknown", "sk-init") is not None


async def test_a_key_of_version_0_1_0_goes_on_working_and_gets_new_hashes_at_the_start(
    prepared: Settings, context: Context
) -> None:
    await prepare(dataclasses.replace(prepared, init=INIT), lambda step: None)
    old = {
        "fast": fast_hash("sk-init", prepared.salt),
        "slow": bcrypt.hashpw(b"sk-init", bcrypt.gensalt(4)).decode(),
        "public_key": INIT.public_key,
    }
    await context.postgres.execute(
        "UPDATE api_keys SET fast_hashed_secret_key = %(fast)s, hashed_secret_key = %(slow)s"
        " WHERE public_key = %(public_key)s",
        old,
    )
    await prepare(dataclasses.replace(prepared, init=INIT), lambda step: None)
    row = await context.postgres.row("SELECT * FROM api_keys WHERE public_key = %(public_key)s", old)
    assert row is not None and row["fast_hashed_secret_key"].endswith(f":{old['fast']}")
    assert row["hashed_secret_key"].startswith("sha256:")
    assert await ApiKeys(context.postgres, prepared.salt).owner_by_secret("pk-init", "sk-init") is not None


async def test_a_migration_that_fails_leaves_nothing(prepared: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    known = migrate.known_migrations()
    broken = PostgresMigration(99, "broken", "CREATE TABLE half_made (id int); SELECT 1 / 0")
    monkeypatch.setattr(migrate, "known_migrations", lambda: [*known, broken])
    async with exclusive_connection(prepared.postgres) as connection:
        with pytest.raises(MigrationFailed, match="0099_broken"):
            await apply_migrations(connection)
        with pytest.raises(psycopg.errors.UndefinedTable):
            await connection.execute("SELECT * FROM half_made")


async def test_a_database_of_a_newer_version_is_refused(prepared: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrate, "known_migrations", lambda: [])
    async with exclusive_connection(prepared.postgres) as connection:
        with pytest.raises(MigrationFailed, match="newer version"):
            await apply_migrations(connection)


async def test_a_clickhouse_of_a_newer_version_is_refused(prepared: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clickhouse_migrations, "load_migrations", lambda: [])
    with pytest.raises(MigrationFailed, match="ClickHouse were made by a newer version"):
        await prepare(prepared, lambda step: None)


async def test_a_queue_of_a_newer_version_is_refused(prepared: Settings, context: Context) -> None:
    await prepare(prepared, lambda step: None)
    assert await context.redis.get(FORMAT_KEY) == str(FORMAT).encode()
    await context.redis.set(FORMAT_KEY, FORMAT + 1)
    with pytest.raises(MigrationFailed, match=f"newer version .format {FORMAT + 1}"):
        await prepare(prepared, lambda step: None)
    await context.redis.delete(FORMAT_KEY)


async def test_a_store_that_is_away_is_said_so(prepared: Settings) -> None:
    away = dataclasses.replace(prepared.postgres, url="postgresql://postgres@127.0.0.1:1/postgres")
    with pytest.raises(StoreUnavailable):
        await prepare(dataclasses.replace(prepared, postgres=away), lambda step: None)


async def test_a_secret_given_with_another_public_key_goes_on_working(prepared: Settings, context: Context) -> None:
    for public_key in ("pk-first", "pk-second"):
        init = InitSettings(org_id="org-d", project_id="project-d", public_key=public_key, secret_key="sk-shared")
        await prepare(dataclasses.replace(prepared, init=init), lambda step: None)
    keys = ApiKeys(context.postgres, prepared.salt)
    owner = await keys.owner_by_secret("pk-second", "sk-shared")
    assert owner is not None and (owner.project_id, owner.public_key) == ("project-d", "pk-second")
    assert await keys.owner_by_public_key("pk-first") is None


P1 = InitSettings(org_id="o", project_id="p1", public_key="pk-one", secret_key="sk-one")
NEW_PAIR = {"public_key": "pk-two", "secret_key": "sk-two"}


async def start(settings: Settings, init: InitSettings) -> list[str]:
    """Prepares the stores; the warnings."""
    steps: list[str] = []
    await prepare(dataclasses.replace(settings, init=init), steps.append)
    return [step for step in steps if step.startswith("Warning")]


async def homes(settings: Settings) -> dict[str, str]:
    """The project of each key."""
    async with await psycopg.AsyncConnection.connect(settings.postgres.url) as connection:
        found = await connection.execute("SELECT public_key, project_id FROM api_keys")
        return dict(await found.fetchall())


@pytest.fixture
async def with_p1(empty: Settings, tmp_path: Path) -> Settings:
    """A data directory and a database where a start with P1 was made."""
    settings = dataclasses.replace(empty, data_dir=tmp_path)
    assert await start(settings, P1) == []
    return settings


@pytest.mark.parametrize(
    "init",
    [
        InitSettings(),
        InitSettings(org_id="o"),
        InitSettings(org_id="other"),
        InitSettings(org_id="o", project_id="p1"),
        InitSettings(project_id="p1"),
        InitSettings(public_key="pk-one", secret_key="sk-one"),
        InitSettings(project_name="Other name", org_name="Other"),
        InitSettings(user_email="a@example.com", user_password="secret"),
    ],
)
async def test_a_start_with_fewer_variables_goes_on_with_the_stored_keys(with_p1: Settings, init: InitSettings) -> None:
    assert await start(with_p1, init) == []
    assert await homes(with_p1) == {"pk-one": "p1"}
    assert stored_keys(with_p1.data_dir) == KeyPair("pk-one", "sk-one")


async def test_another_project_without_keys_takes_none_away(with_p1: Settings) -> None:
    [warning] = await start(with_p1, InitSettings(org_id="o", project_id="p2"))
    assert "p1" in warning and "LANGFUSE_INIT_PROJECT_PUBLIC_KEY" in warning
    assert await homes(with_p1) == {"pk-one": "p1"}
    assert await start(with_p1, InitSettings()) == []


async def test_a_key_that_is_moved_on_purpose_is_told(with_p1: Settings) -> None:
    [warning] = await start(with_p1, dataclasses.replace(P1, project_id="p2"))
    assert "moved from project p1 to p2" in warning
    assert await start(with_p1, InitSettings()) == []
    assert await homes(with_p1) == {"pk-one": "p2"}


@pytest.mark.parametrize("named", [{"org_id": "o", "project_id": "p1"}, {"org_id": "o"}, {}])
async def test_other_keys_belong_to_the_same_project(with_p1: Settings, named: dict[str, str]) -> None:
    assert await start(with_p1, InitSettings(**named, **NEW_PAIR)) == []  # type: ignore[arg-type]
    assert await start(with_p1, InitSettings()) == []
    assert await homes(with_p1) == {"pk-one": "p1", "pk-two": "p1"}
    assert stored_keys(with_p1.data_dir) == KeyPair("pk-two", "sk-two")


async def test_keys_of_another_project_say_how_to_see_the_earlier_one(with_p1: Settings) -> None:
    other = InitSettings(org_id="o", project_id="p2", **NEW_PAIR)  # type: ignore[arg-type]
    [warning] = await start(with_p1, other)
    assert "LANGFUSE_INIT_PROJECT_ID=p1" in warning
    assert await start(with_p1, other) == []
    assert await start(with_p1, P1) != []
    assert await homes(with_p1) == {"pk-one": "p1", "pk-two": "p2"}


async def test_a_refused_secret_leaves_the_stored_pair(with_p1: Settings) -> None:
    await start(with_p1, InitSettings(**NEW_PAIR))  # type: ignore[arg-type]
    [warning] = await start(with_p1, dataclasses.replace(P1, secret_key="sk-wrong"))
    assert "sk-" not in warning
    assert stored_keys(with_p1.data_dir) == KeyPair("pk-two", "sk-two")


async def test_a_fresh_data_directory_joins_the_only_project(with_p1: Settings, tmp_path: Path) -> None:
    fresh = dataclasses.replace(with_p1, data_dir=tmp_path / "fresh")
    store_key_pair(DataDir(fresh.data_dir), KeyPair("pk-new", "sk-new"))
    assert await start(fresh, InitSettings()) == []
    assert (await homes(fresh))["pk-new"] == "p1"


async def test_a_fresh_data_directory_takes_none_of_several_projects(with_p1: Settings, tmp_path: Path) -> None:
    await start(with_p1, InitSettings(org_id="o", project_id="p2"))
    fresh = dataclasses.replace(with_p1, data_dir=tmp_path / "fresh")
    store_key_pair(DataDir(fresh.data_dir), KeyPair("pk-new", "sk-new"))
    [warning] = await start(fresh, InitSettings())
    assert "p1, p2" in warning
    assert (await homes(fresh))["pk-new"] == "local-project"
