"""The external runtime, with TLS to stores that hang, break, crawl and garble: nothing is lost, and health says so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from urllib.parse import urlsplit

import httpx
import psycopg
import pytest

from appliance.config import Settings
from tests.acceptance.appliance_process import Appliance, eventually, new_appliance
from tests.acceptance.exporter import Load
from tests.acceptance.test_durability import listed_ids, observation_ids
from tests.integration.external.certificates import make_certificates
from tests.integration.external.proxy import Fault, Proxy, serving

RECOVERY_S = 40.0
WORDS = {"postgres": "Postgres", "redis": "Redis", "clickhouse": "ClickHouse"}


class Managed:
    """An appliance whose way to each store leads through a proxy that does as it is told."""

    def __init__(self, appliance: Appliance, ways: dict[str, Proxy]) -> None:
        self.appliance = appliance
        self.ways = ways

    def health(self, http: httpx.Client) -> str:
        """Why data does not flow; empty when it does."""
        with suppress(httpx.TransportError):
            answer = http.get("/api/public/health")
            return "" if answer.status_code == 200 else " ".join(answer.json().get("reasons", ["?"]))
        return "web does not answer"


@pytest.fixture(scope="module")
def managed(tcp_stores: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Managed]:
    certificates = make_certificates(tmp_path_factory.mktemp("certificates"))
    url = urlsplit(tcp_stores.postgres.url)
    with psycopg.connect(tcp_stores.postgres.url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE managed")
    targets = {
        "postgres": url,
        "redis": urlsplit(tcp_stores.redis.url),
        "clickhouse": urlsplit(tcp_stores.clickhouse.url),
    }
    with ExitStack() as stack:
        fronts = {
            name: Proxy(target.port or 0, tls=certificates.server, asks_first=name == "postgres")
            for name, target in targets.items()
        }
        stack.enter_context(serving(*fronts.values()))
        ways = {name: Proxy(front.port) for name, front in fronts.items()}
        stack.enter_context(serving(*ways.values()))
        files = f"sslcert={certificates.client_certificate}&sslkey={certificates.client_key}"
        login = url.netloc.rpartition("@")[0]
        settings = {
            "DATABASE_URL": f"postgresql://{login}@127.0.0.1:{ways['postgres'].port}/managed"
            f"?sslrootcert={certificates.authority}&{files}",
            "REDIS_HOST": "127.0.0.1",
            "REDIS_PORT": str(ways["redis"].port),
            "REDIS_AUTH": targets["redis"].password or "",
            "REDIS_TLS_ENABLED": "true",
            "REDIS_TLS_CA_PATH": str(certificates.authority),
            "REDIS_TLS_CERT_PATH": str(certificates.client_certificate),
            "REDIS_TLS_KEY_PATH": str(certificates.client_key),
            "CLICKHOUSE_URL": f"https://127.0.0.1:{ways['clickhouse'].port}",
            "CLICKHOUSE_USER": tcp_stores.clickhouse.user,
            "CLICKHOUSE_PASSWORD": tcp_stores.clickhouse.password,
            "CLICKHOUSE_DB": "managed",
            "LANGFUSE_LOCAL_CLICKHOUSE_TLS_CA_PATH": str(certificates.authority),
            "LANGFUSE_LOCAL_CLICKHOUSE_TLS_CERT_PATH": str(certificates.client_certificate),
            "LANGFUSE_LOCAL_CLICKHOUSE_TLS_KEY_PATH": str(certificates.client_key),
            "SALT": "managed",
            "ENCRYPTION_KEY": "0" * 64,
        }
        appliance = stack.enter_context(new_appliance(**settings))
        appliance.up("--runtime", "external", "--port", "27650")
        yield Managed(appliance, ways)


@pytest.mark.parametrize("store", ["postgres", "redis", "clickhouse"])
def test_a_store_behind_a_bad_line_loses_nothing(managed: Managed, store: str) -> None:
    way, seed = managed.ways[store], f"line-{store}"
    with managed.appliance.http() as http, Load(http, seed, requests_per_s=15) as load:
        eventually(lambda: len(load.accepted), until=lambda count: count >= 20, within_s=RECOVERY_S)
        slow: tuple[Fault, ...] = ("delay", "throttle", "garble")
        gone: tuple[Fault, ...] = ("cut", "silence")
        for fault in slow:
            endure(managed, http, load, way, fault)
        for fault in gone:
            break_off(managed, http, way, fault, WORDS[store])
        before = len(load.accepted)
        eventually(lambda: len(load.accepted), until=lambda count: count >= before + 20, within_s=RECOVERY_S)
    with managed.appliance.http() as http:
        assert load.error is None
        expected = {span_id for span_ids in load.accepted.values() for span_id in span_ids}
        observations = eventually(
            lambda: observation_ids(http, f"{seed}-user"), until=lambda seen: set(seen) >= expected, within_s=RECOVERY_S
        )
        assert observations == Counter(dict.fromkeys(expected, 1))
        assert listed_ids(http, "/api/public/traces", name=seed) == Counter(dict.fromkeys(load.accepted, 1))
    eventually(managed.appliance.status, until=lambda status: bool(status.get("healthy")), within_s=RECOVERY_S)


def endure(managed: Managed, http: httpx.Client, load: Load, way: Proxy, fault: Fault) -> None:
    """Faults that slow down or disturb: load goes on during them, and all is well after them."""
    way.fault = fault
    before = len(load.accepted)
    try:
        eventually(lambda: fault in way.seen and len(load.accepted) >= before + 10, within_s=RECOVERY_S)
    finally:
        way.fault = ""
    eventually(lambda: managed.health(http), until=lambda reasons: reasons == "", within_s=RECOVERY_S)


def break_off(managed: Managed, http: httpx.Client, way: Proxy, fault: Fault, word: str) -> None:
    """Faults that take the store away: health names it, and knows when it is back."""
    way.fault = fault
    if fault == "cut":
        way.drop()
    try:
        eventually(lambda: managed.health(http), until=lambda reasons: word in reasons, within_s=RECOVERY_S)
    finally:
        way.fault = ""
    eventually(lambda: managed.health(http), until=lambda reasons: reasons == "", within_s=RECOVERY_S)
