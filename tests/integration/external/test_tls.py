"""TLS to all three stores: an authority of one's own, client certificates, and refusal of what does not fit."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from appliance.config import Settings
from appliance.errors import ConfigError, StoreUnavailable
from appliance.orchestrator.processes.probes import ask_redis_of
from appliance.storage.clickhouse.client import ClickHouse
from appliance.storage.postgres.pool import Postgres
from tests.integration.external.certificates import Certificates, make_certificates
from tests.integration.external.proxy import Proxy, serving


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def encrypted(tcp_stores: Settings, certificates: Certificates) -> Iterator[Settings]:
    """The stores behind TLS that asks for client certificates."""
    postgres, redis, clickhouse = (
        urlsplit(url) for url in (tcp_stores.postgres.url, tcp_stores.redis.url, tcp_stores.clickhouse.url)
    )
    fronts = [
        Proxy(_port(postgres.port), tls=certificates.server, asks_first=True),
        Proxy(_port(redis.port), tls=certificates.server),
        Proxy(_port(clickhouse.port), tls=certificates.server),
    ]
    with serving(*fronts):
        login = postgres.netloc.rpartition("@")[0]
        files = f"sslcert={certificates.client_certificate}&sslkey={certificates.client_key}"
        yield dataclasses.replace(
            tcp_stores,
            postgres=dataclasses.replace(
                tcp_stores.postgres,
                url=f"postgresql://{login}@127.0.0.1:{fronts[0].port}{postgres.path}"
                f"?sslrootcert={certificates.authority}&{files}",
            ),
            redis=dataclasses.replace(
                tcp_stores.redis,
                connection_string=f"rediss://:{redis.password}@127.0.0.1:{fronts[1].port}/0",
                tls_ca_path=str(certificates.authority),
                tls_cert_path=str(certificates.client_certificate),
                tls_key_path=str(certificates.client_key),
            ),
            clickhouse=dataclasses.replace(
                tcp_stores.clickhouse,
                url=f"https://127.0.0.1:{fronts[2].port}",
                tls_ca_path=str(certificates.authority),
                tls_cert_path=str(certificates.client_certificate),
                tls_key_path=str(certificates.client_key),
            ),
        )


def _port(port: int | None) -> int:
    assert port is not None
    return port


async def ask_all(settings: Settings) -> list[str]:
    """Names of the stores that answer."""
    answering = []
    postgres, clickhouse = Postgres(settings.postgres), ClickHouse(settings.clickhouse, database="")
    await postgres.open()
    try:
        for name, work in (
            ("postgres", postgres.row("SELECT 1 AS one")),
            ("redis", ask_redis_of(settings.redis, "PING")),
            ("clickhouse", clickhouse.ping()),
        ):
            try:
                await work
                answering.append(name)
            except StoreUnavailable:
                pass
    finally:
        await postgres.close()
        await clickhouse.close()
    return answering


async def test_all_three_answer(encrypted: Settings) -> None:
    assert await ask_all(encrypted) == ["postgres", "redis", "clickhouse"]


async def test_without_a_client_certificate_none_answers(encrypted: Settings) -> None:
    bare = dataclasses.replace(
        encrypted,
        postgres=dataclasses.replace(encrypted.postgres, url=encrypted.postgres.url.partition("&sslcert")[0]),
        redis=dataclasses.replace(encrypted.redis, tls_cert_path="", tls_key_path=""),
        clickhouse=dataclasses.replace(encrypted.clickhouse, tls_cert_path="", tls_key_path=""),
    )
    assert await ask_all(bare) == []


async def test_a_server_of_another_authority_is_refused(encrypted: Settings, certificates: Certificates) -> None:
    other = str(certificates.other_authority)
    url = encrypted.postgres.url.replace(str(certificates.authority), other)
    deceived = dataclasses.replace(
        encrypted,
        postgres=dataclasses.replace(encrypted.postgres, url=url),
        redis=dataclasses.replace(encrypted.redis, tls_ca_path=other),
        clickhouse=dataclasses.replace(encrypted.clickhouse, tls_ca_path=other),
    )
    assert await ask_all(deceived) == []
    blind = dataclasses.replace(
        deceived,
        postgres=dataclasses.replace(encrypted.postgres, url=url.replace(f"sslrootcert={other}", "sslmode=require")),
        redis=dataclasses.replace(deceived.redis, tls_reject_unauthorized=False),
        clickhouse=dataclasses.replace(deceived.clickhouse, tls_verify=False),
    )
    assert await ask_all(blind) == ["postgres", "redis", "clickhouse"]


async def test_a_server_of_another_name_is_refused(encrypted: Settings) -> None:
    named = dataclasses.replace(
        encrypted,
        redis=dataclasses.replace(encrypted.redis, tls_server_name="elsewhere.example.com"),
        clickhouse=dataclasses.replace(encrypted.clickhouse, tls_server_name="elsewhere.example.com"),
    )
    assert await ask_all(named) == ["postgres"]
    known = dataclasses.replace(
        named,
        redis=dataclasses.replace(encrypted.redis, tls_server_name="localhost"),
        clickhouse=dataclasses.replace(encrypted.clickhouse, tls_server_name="localhost"),
    )
    assert await ask_all(known) == ["postgres", "redis", "clickhouse"]


async def test_files_that_are_not_there_are_named(encrypted: Settings) -> None:
    with pytest.raises(ConfigError, match="none\\.pem"):
        ClickHouse(dataclasses.replace(encrypted.clickhouse, tls_ca_path="/none.pem"))
    with pytest.raises(ConfigError, match="none\\.pem"):
        await ask_redis_of(dataclasses.replace(encrypted.redis, tls_ca_path="/none.pem"), "PING")
    with pytest.raises(ConfigError, match="none\\.pem"):
        Postgres(dataclasses.replace(encrypted.postgres, url="postgresql://u@h/d?sslrootcert=/none.pem"))
