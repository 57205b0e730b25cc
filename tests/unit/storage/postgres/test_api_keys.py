"""What the look-up of a secret costs: slow hashes are compared only where nothing faster decides."""

from __future__ import annotations

from typing import Any

import bcrypt
import pytest

from appliance.storage.postgres import api_keys
from appliance.storage.postgres.api_keys import ApiKeys, KeyOwner, fast_hash

SALT = "salt"
LONG = "sk-lf-" + "x" * 80


class Rows:
    """Postgres with one key; counts statements."""

    def __init__(self, secret: str, *, salt: str = SALT, is_old: bool = False) -> None:
        hashes = api_keys._FastHashes(secret, salt)
        slow = (
            bcrypt.hashpw(secret.encode()[:72], bcrypt.gensalt(4)).decode() if is_old else api_keys._slow_hash(secret)
        )
        fast = fast_hash(secret, salt) if is_old else hashes.marked
        names = ("id", "public_key", "project_id", "hashed_secret_key", "fast_hashed_secret_key")
        self.row: dict[str, Any] = dict(zip(names, ("1", "pk", "p", slow, fast), strict=True))
        self.statements = 0

    async def rows(self, sql: str, params: dict[str, Any]) -> list[dict[str, Any]]:
        self.statements += 1
        is_found = self.row["fast_hashed_secret_key"] in params["fast_hashes"] or params["public_key"] == "pk"
        return [self.row] if is_found else []

    async def execute(self, sql: str, params: dict[str, Any]) -> int:
        self.statements += 1
        self.row |= {"hashed_secret_key": params["slow"], "fast_hashed_secret_key": params["fast"]}
        return 1


@pytest.fixture
def slow_steps(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Calls of bcrypt, at the smallest cost."""
    found: list[str] = []
    hashpw, checkpw = bcrypt.hashpw, bcrypt.checkpw
    monkeypatch.setattr(api_keys, "_BCRYPT_COST", 4)

    def counted_hashpw(password: bytes, salt: bytes) -> bytes:
        found.append("hash")
        return hashpw(password, salt)

    def counted_checkpw(password: bytes, hashed: bytes) -> bool:
        found.append("check")
        return checkpw(password, hashed)

    monkeypatch.setattr(bcrypt, "hashpw", counted_hashpw)
    monkeypatch.setattr(bcrypt, "checkpw", counted_checkpw)
    return found


def keys_of(rows: Any, salt: str = SALT) -> ApiKeys:
    return ApiKeys(rows, salt)


async def test_neither_good_nor_wrong_secrets_cost_a_slow_hash(slow_steps: list[str]) -> None:
    rows = Rows("sk-good")
    slow_steps.clear()
    keys = keys_of(rows)
    assert await keys.owner_by_secret("pk", "sk-good") == KeyOwner("p", "pk")
    assert [await keys.owner_by_secret("pk", f"sk-{number}") for number in range(20)] == [None] * 20
    assert (slow_steps, rows.statements) == ([], 21)


async def test_a_key_of_an_older_version_gets_new_hashes_at_its_first_use(slow_steps: list[str]) -> None:
    rows = Rows("sk-good", is_old=True)
    keys = keys_of(rows)
    slow_steps.clear()
    assert [await keys.owner_by_secret("pk", "sk-good") for _ in range(3)] == [KeyOwner("p", "pk")] * 3
    assert slow_steps == ["hash"]
    assert await keys.owner_by_secret("pk", "sk-wrong") is None
    assert slow_steps == ["hash"]


@pytest.mark.parametrize("is_old", [True, False])
async def test_another_salt_is_taken_over_once(slow_steps: list[str], is_old: bool) -> None:
    rows = Rows("sk-good", is_old=is_old)
    keys = keys_of(rows, "another salt")
    slow_steps.clear()
    assert await keys.owner_by_secret("pk", "sk-wrong") is None
    assert [await keys.owner_by_secret("pk", "sk-good") for _ in range(2)] == [KeyOwner("p", "pk")] * 2
    assert slow_steps == ["check", "check", "hash"]


@pytest.mark.parametrize("is_old", [True, False])
async def test_every_byte_of_a_long_secret_counts(slow_steps: list[str], is_old: bool) -> None:
    keys = keys_of(Rows(LONG, is_old=is_old))
    wrong = (LONG[:-1] + "y", LONG[:72], LONG[:73], LONG + "x")
    assert [await keys.owner_by_secret("pk", secret) for secret in wrong] == [None] * 4
    assert await keys.owner_by_secret("pk", LONG) == KeyOwner("p", "pk")


async def test_a_long_secret_survives_another_salt(slow_steps: list[str]) -> None:
    keys = keys_of(Rows(LONG), "another salt")
    assert await keys.owner_by_secret("pk", LONG + "x") is None
    assert await keys.owner_by_secret("pk", LONG) == KeyOwner("p", "pk")
