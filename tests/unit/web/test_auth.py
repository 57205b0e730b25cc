"""Who may do what: keys by Basic and Bearer."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from appliance.errors import Overloaded, StoreUnavailable
from appliance.storage.postgres.api_keys import KeyOwner
from appliance.web.key_ring import KeyRing
from appliance.web.routes import ROUTES

METRICS = "/api/public/otel/v1/metrics"


async def test_the_right_pair_is_let_in(client: httpx.AsyncClient) -> None:
    answer = await client.post(METRICS)
    assert (answer.status_code, answer.json()) == (200, {"message": "OK"})


async def test_the_secret_alone_decides(client: httpx.AsyncClient) -> None:
    assert (await client.post(METRICS, auth=("another", "sk-lf-test"))).status_code == 200


@pytest.mark.parametrize(
    ("header", "status", "message"),
    [
        ("", 401, "No authorization header"),
        ("Digest abc", 401, "Invalid authorization header"),
        ("Basic !!!", 401, "Invalid authorization header"),
        ("Basic bm9jb2xvbg==", 401, "Invalid authorization header"),
        ("Basic cGsAOnNr", 401, "Invalid authorization header"),
        ("Basic cGs6d3Jvbmc=", 401, "Invalid credentials. Confirm that you've configured the correct host."),
        ("Bearer pk-unknown", 401, "Invalid public key. Confirm that you've configured the correct host."),
        ("Bearer pk-lf-test", 403, "Access denied - insufficient permissions for this endpoint"),
    ],
)
async def test_others_are_refused_with_a_message_only(
    client: httpx.AsyncClient, header: str, status: int, message: str
) -> None:
    client.auth = httpx.Auth()
    answer = await client.post(METRICS, headers={"Authorization": header} if header else {})
    assert (answer.status_code, answer.json()) == (status, {"message": message})


async def test_an_organization_key_has_no_project(client: httpx.AsyncClient) -> None:
    assert (await client.post(METRICS, auth=("pk-org", "sk-org"))).status_code == 403


async def test_ingestion_and_prompts_name_the_error(client: httpx.AsyncClient) -> None:
    client.auth = httpx.Auth()
    for path in ("/api/public/ingestion", "/api/public/v2/prompts"):
        assert (await client.post(path, json={})).json()["error"] == "UnauthorizedError"


async def test_keys_are_looked_up_once(client: httpx.AsyncClient, key_store: Any) -> None:
    for _ in range(3):
        await client.post(METRICS)
        await client.post(METRICS, auth=("pk", "wrong"))
    assert key_store.lookups == 2


async def test_credentials_longer_than_any_key_are_not_remembered(client: httpx.AsyncClient, key_store: Any) -> None:
    for _ in range(2):
        assert (await client.post(METRICS, auth=("pk", "x" * 1_000))).status_code == 401
    assert key_store.lookups == 2


async def test_wrong_keys_do_not_make_good_ones_forgotten(
    client: httpx.AsyncClient, key_store: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("appliance.web.key_ring._MAX_CACHED", 10)
    await client.post(METRICS)
    for number in range(30):
        await client.post(METRICS, auth=("pk", f"wrong {number}"))
    looked_up = key_store.lookups
    await client.post(METRICS)
    assert key_store.lookups == looked_up


async def test_guesses_are_looked_up_two_at_a_time_and_hold_up_no_known_key(monkeypatch: pytest.MonkeyPatch) -> None:
    class SlowKeys:
        at_once = most = 0

        async def owner_by_secret(self, public_key: str, secret_key: str) -> KeyOwner | None:
            if secret_key == "good":
                return KeyOwner("project", public_key)
            self.at_once += 1
            self.most = max(self.most, self.at_once)
            if self.at_once == 2:
                both_wait.set()
            await held.wait()
            self.at_once -= 1
            return None

        async def owner_by_public_key(self, public_key: str) -> KeyOwner | None:
            return None

    held, both_wait, store = asyncio.Event(), asyncio.Event(), SlowKeys()
    monkeypatch.setattr("appliance.web.key_ring._KNOWN_FOR_S", 0.0)
    ring = KeyRing(store)
    await ring.find("pk", "good")
    guesses = [asyncio.create_task(ring.find("pk", f"guess {number}")) for number in range(10)]
    async with asyncio.timeout(5):
        await both_wait.wait()
        assert await ring.find("pk", "good") == KeyOwner("project", "pk")
        held.set()
        assert await asyncio.gather(*guesses) == [None] * 10
    assert store.most == 2


async def test_all_who_send_the_same_key_share_one_look_up_and_its_failure() -> None:
    class GoneKeys:
        lookups = 0

        async def owner_by_secret(self, public_key: str, secret_key: str) -> KeyOwner | None:
            self.lookups += 1
            await asyncio.sleep(0)
            raise StoreUnavailable("Gone.", store="Postgres")

        async def owner_by_public_key(self, public_key: str) -> KeyOwner | None:
            return None

    store = GoneKeys()
    ring = KeyRing(store)
    failures = await asyncio.gather(*(ring.find("pk", "sk") for _ in range(50)), return_exceptions=True)
    assert ({type(failure) for failure in failures}, store.lookups) == ({StoreUnavailable}, 1)


async def test_who_waits_long_behind_guesses_is_told_to_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    class SilentKeys:
        asked = 0

        async def owner_by_secret(self, public_key: str, secret_key: str) -> KeyOwner | None:
            self.asked += 1
            if self.asked == 2:
                both_wait.set()
            await held.wait()
            return None

        async def owner_by_public_key(self, public_key: str) -> KeyOwner | None:
            return None

    held, both_wait = asyncio.Event(), asyncio.Event()
    monkeypatch.setattr("appliance.web.key_ring._UNKNOWN_WAIT_S", 0.01)
    ring = KeyRing(SilentKeys())
    first = [asyncio.create_task(ring.find("pk", f"guess {number}")) for number in range(2)]
    async with asyncio.timeout(5):
        await both_wait.wait()
        with pytest.raises(Overloaded):
            await ring.find("pk", "another")
    held.set()
    assert await asyncio.gather(*first) == [None, None]


NEEDS_NO_KEY = ("/api/public/health", "/api/public/ready", "/api/media/{project_id:segment}/{media_id:segment}")


@pytest.mark.parametrize(
    ("path", "method"),
    sorted(
        {(route.path, method) for route in ROUTES for method in route.methods or () if route.path not in NEEDS_NO_KEY}
    ),
)
async def test_a_key_is_asked_for_before_anything_else_is_looked_at(
    client: httpx.AsyncClient, path: str, method: str
) -> None:
    client.auth = httpx.Auth()
    odd = dict.fromkeys(("query", "filter", "limit", "page", "orderBy", "fromTimestamp", "version", "cursor"), "{")
    plain = path.replace(":segment", "").replace("{", "").replace("}", "")
    answer = await client.request(method, plain, params=odd, content=b"{", headers={"Content-Encoding": "br"})
    assert answer.status_code == 401
