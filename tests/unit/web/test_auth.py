"""Who may do what: keys by Basic and Bearer."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

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
