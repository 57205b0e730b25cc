"""Addresses of Postgres and Redis in all the forms that users have them."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from psycopg.conninfo import conninfo_to_dict

from appliance.config import PostgresSettings, RedisSettings
from appliance.errors import ConfigError, MigrationFailed
from appliance.storage.postgres import address as postgres
from appliance.storage.redis import address as redis
from appliance.storage.redis.check import judge

URL = "postgresql://u:p%40ss@db:6543/traces"


def parts(url: str, **settings: Any) -> dict[str, str]:
    found = postgres.address_of(PostgresSettings(url=url, **settings))
    return {name: str(value) for name, value in conninfo_to_dict(found.conninfo).items()}


def test_postgres_by_parts() -> None:
    settings = PostgresSettings(
        host="db:6543", username="u", password="p@ss", name="traces", arguments="sslmode=require"
    )
    found = conninfo_to_dict(postgres.address_of(settings).conninfo)
    assert (found["host"], found["port"], found["password"], found["sslmode"]) == ("db", "6543", "p@ss", "require")


def test_what_only_prisma_knows_does_not_reach_libpq() -> None:
    found = postgres.address_of(
        PostgresSettings(url=f"{URL}?schema=own&connection_limit=9&pool_timeout=3&pgbouncer=false&connect_timeout=7")
    )
    assert found.pool_size == 9 and not found.is_pooled
    known = conninfo_to_dict(found.conninfo)
    assert known["connect_timeout"] == "7" and 'search_path="own"' in str(known["options"])


def test_a_schema_may_have_any_name_but_needs_a_session() -> None:
    assert parts(f"{URL}?schema=my%20%22own%22%5C")["options"].endswith(r'search_path="my\ ""own""\\"')
    assert postgres.address_of(PostgresSettings(url=f"{URL}?schema=public")).schema == ""
    with pytest.raises(ConfigError, match="schema"):
        postgres.address_of(PostgresSettings(url=f"{URL}?schema=own&pgbouncer=true"))


def test_a_session_is_bounded_and_in_utc_but_not_for_migrations() -> None:
    assert parts(URL)["options"] == "-c timezone=UTC -c statement_timeout=30000"
    direct = postgres.address_of(PostgresSettings(url=URL), direct=True)
    assert conninfo_to_dict(direct.conninfo)["options"] == "-c timezone=UTC"
    assert parts(URL, statement_timeout_ms=5)["options"].endswith("statement_timeout=5")


@pytest.mark.parametrize("url", [f"{URL}?pgbouncer=true", URL])
def test_through_a_pooler_nothing_is_kept_in_a_session(url: str) -> None:
    settings = PostgresSettings(url=url, pooler=url == URL)
    found = postgres.address_of(settings)
    assert found.is_pooled and "options" not in conninfo_to_dict(found.conninfo)
    direct = postgres.address_of(PostgresSettings(url=url, direct_url="postgresql://u@db/traces"), direct=True)
    assert not direct.is_pooled


def test_an_authority_means_full_verification(tmp_path: Any) -> None:
    authority = tmp_path / "ca.pem"
    authority.touch()
    assert parts(f"{URL}?sslrootcert={authority}")["sslmode"] == "verify-full"
    assert parts(f"{URL}?sslrootcert={authority}&sslmode=verify-ca")["sslmode"] == "verify-ca"
    prisma = parts(f"{URL}?sslaccept=strict&sslcert={authority}")
    assert prisma["sslmode"] == "verify-full" and prisma["sslrootcert"] == str(authority)
    assert parts(f"{URL}?sslaccept=accept_invalid_certs")["sslmode"] == "require"
    assert parts(f"{URL}?sslmode=verify-full")["sslrootcert"]


@pytest.mark.parametrize(
    "url",
    ["", "mysql://u@h/d", f"{URL}?nonsense=1", f"{URL}?sslrootcert=/none", f"{URL}?sslaccept=strict&sslidentity=x.p12"],
)
def test_addresses_of_postgres_that_cannot_be_used(url: str) -> None:
    with pytest.raises(ConfigError):
        postgres.address_of(PostgresSettings(url=url))


def of_redis(**settings: Any) -> redis.Address:
    return redis.address_of(RedisSettings(**settings))


def test_redis_is_one_server_a_cluster_or_sentinels() -> None:
    one = of_redis(connection_string="rediss://ada:p%40ss@cache:7000/2", tls_check_server_identity=False)
    assert (one.mode, one.nodes, one.is_tls) == ("server", (("cache", 7000),), True)
    assert one.arguments["password"] == "p@ss" and one.arguments["db"] == 2
    assert one.arguments["ssl_cert_reqs"] == "required" and one.arguments["ssl_check_hostname"] is False

    several = of_redis(cluster_enabled=True, cluster_nodes="a:1, b , [::1]:3", auth="secret", tls_enabled=True)
    assert (several.mode, several.nodes) == ("cluster", (("a", 1), ("b", 6379), ("::1", 3)))
    assert several.arguments["password"] == "secret" and several.is_tls

    watched = of_redis(sentinel_enabled=True, sentinel_nodes="s1,s2:5", sentinel_master_name="m", sentinel_password="x")
    assert (watched.mode, watched.nodes, watched.master_name) == ("sentinel", (("s1", 26379), ("s2", 5)), "m")
    assert watched.sentinel_arguments == {"password": "x"} and "password" not in watched.arguments


def test_the_same_in_one_string() -> None:
    several = of_redis(connection_string="rediss+cluster://ada:p%2Fw@a:1,b")
    assert (several.mode, several.nodes, several.is_tls) == ("cluster", (("a", 1), ("b", 6379)), True)
    assert (several.arguments["username"], several.arguments["password"]) == ("ada", "p/w")
    watched = of_redis(connection_string="redis+sentinel://:pw@s1,s2:5/main/3", sentinel_username="watcher")
    assert (watched.mode, watched.master_name, watched.arguments["db"]) == ("sentinel", "main", 3)
    assert of_redis(connection_string="redis://h:1/4", cluster_enabled=True).arguments == {}


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"connection_string": "http://h"},
        {"connection_string": "redis+moon://h"},
        {"connection_string": "redis+sentinel://s1"},
        {"connection_string": "redis+cluster://:7"},
        {"sentinel_enabled": True, "sentinel_nodes": "s1"},
        {"host": "h", "tls_enabled": True, "tls_ca_path": "/none"},
    ],
)
def test_addresses_of_redis_that_cannot_be_used(settings: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        of_redis(**settings)


def test_what_is_said_of_a_redis() -> None:
    good: dict[str, Any] = {"redis_version": "7.2.4", "maxmemory_policy": "noeviction", "aof_enabled": 1}
    assert judge(good) == []
    assert "volatile-lru" in judge({**good, "maxmemory_policy": "volatile-lru"})[0]
    assert "memory only" in judge({**good, "aof_enabled": 0})[0]
    assert judge({**good, "aof_enabled": 0, "connected_slaves": 1}) == []
    for bad in ({"redis_version": "6.0.9"}, {"maxmemory_policy": "allkeys-lru"}):
        with pytest.raises(MigrationFailed):
            judge({**good, **bad})


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:secret%zz@h/db",
        "postgresql://u:x?secret@h/db",
        "postgresql://u:secret/x@h/db",
        "postgresql://u:secret#x@h/db",
        "postgresql://u:x@secret/x@h/db",
        "postgresql://u:x@secret?x@h/db",
        "postgresql://u:x@secret#x@h/db",
        "postgresql://u:x@a?secret=x@h/db",
        "postgresql://u:x@secret@h/db",
        "postgresql://u:x@secret@h/db",
        "postgres:u:secret@h",
        "host=h password=x secret dbname=d",
        "postgresql://u:pa?secret#x@h/db",
        "postgresql://u:pa#secret@h/db",
    ],
)
def test_what_is_wrong_with_postgres_is_said_without_the_password(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        postgres.address_of(PostgresSettings(url=url))
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "redis://:secret/x@host:6379/0",
        "cache.example.net:6380,password=secret,ssl=True",
        "redis+sentinel://:secret/x@a:1/m/0",
        "redis+cluster://:secret#x@a:1",
        "redis://:p@secret/w@127.0.0.1:6379/0",
        "redis://:p@secret?w@127.0.0.1:6379/0",
        "redis://:p@secret#w@127.0.0.1:6379/0",
        "redis+cluster://:p@secret/w@a:1",
    ],
)
def test_what_is_wrong_with_redis_is_said_without_the_password(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        redis.address_of(RedisSettings(connection_string=url))
    assert "secret" not in str(caught.value)


def test_any_password_of_redis_stands_in_its_address() -> None:
    found = urlsplit(RedisSettings(host="h", username="a/b", auth="c/d+e==#?@:").url)
    assert (found.hostname, found.port) == ("h", 6379)
    assert (unquote(found.username or ""), unquote(found.password or "")) == ("a/b", "c/d+e==#?@:")


def test_servers_of_this_machine_answer_on_sockets_at_any_path() -> None:
    found = of_redis(connection_string="unix://:p%40ss@/data/a%20b%3F/redis.sock?db=0")
    assert (found.path, found.text, found.mode) == ("/data/a b?/redis.sock", "/data/a b?/redis.sock", "server")
    assert found.arguments == {"password": "p@ss", "db": 0}
    known = parts("postgresql://u:p@/d?host=%2Fdata%2Fme%40home%20%C3%BC&port=5432&require_auth=scram-sha-256")
    assert known["host"] == "/data/me@home ü" and known["require_auth"] == "scram-sha-256"
    with pytest.raises(ConfigError, match="path of a socket"):
        of_redis(connection_string="unix://?db=0")
