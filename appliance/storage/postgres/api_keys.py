"""API keys: the secret is kept as a slow hash (bcrypt) and as a fast salted one for every-day look-ups.

A fast hash names its salt, so a secret with another fast hash is refused without computing the slow one. Fast hashes of
version 0.1.0 do not name their salt, and its slow hashes cover only the first 72 bytes of the secret.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import uuid
from dataclasses import dataclass
from typing import Final

import bcrypt
from psycopg.rows import DictRow

from appliance.model.key_pair import KeyPair
from appliance.storage.postgres.pool import Connection, Postgres
from appliance.storage.sql_files import load_blocks

_BCRYPT_COST: Final = 11
_BCRYPT_BYTES: Final = 72
"""bcrypt ignores what follows these."""
_WHOLE: Final = "sha256:"
"""Prefix of slow hashes of whole secrets."""
_SQL = load_blocks(__package__, "api_keys")


@dataclass(frozen=True, slots=True)
class KeyOwner:
    """The project that an API key belongs to."""

    project_id: str | None
    """None for a key of a whole organization."""
    public_key: str


def fast_hash(secret_key: str, salt: str) -> str:
    """SHA-256 over the secret followed by the salt's own hex digest (contract: server semantics 6.1)."""
    return hashlib.sha256(secret_key.encode() + hashlib.sha256(salt.encode()).hexdigest().encode()).hexdigest()


class ApiKeys:
    """Look-ups of keys. Every method raises StoreUnavailable."""

    def __init__(self, postgres: Postgres, salt: str) -> None:
        self._postgres = postgres
        self._salt = salt
        self._comparing = asyncio.Semaphore(1)
        """Slow comparisons use one thread at a time, so that guessed secrets do not occupy them all."""

    async def owner_by_secret(self, public_key: str, secret_key: str) -> KeyOwner | None:
        """The owner of the secret, whatever public key came with it; None for an unknown secret.

        A key whose fast hash was made with another salt is found by its public key and gets new hashes.
        """
        hashes = _FastHashes(secret_key, self._salt)
        rows = await self._postgres.rows(_SQL["by_either"], {"fast_hashes": hashes.all, "public_key": public_key})
        row = next((row for row in rows if row["fast_hashed_secret_key"] in hashes.all), None)
        if row is None:
            row = next(iter(rows), None)
            if row is None or not hashes.may_belong_to(row):
                return None
            async with self._comparing:
                if not await asyncio.to_thread(_matches, secret_key, row["hashed_secret_key"]):
                    return None
        if row["fast_hashed_secret_key"] != hashes.marked:
            async with self._comparing:
                slow = await asyncio.to_thread(_slow_hash, secret_key)
            await self._postgres.execute(_SQL["set_hashes"], {"id": row["id"], "fast": hashes.marked, "slow": slow})
        return KeyOwner(row["project_id"], row["public_key"])

    async def owner_by_public_key(self, public_key: str) -> KeyOwner | None:
        """The owner of a public key; None for unknown ones and for keys of organizations."""
        row = await self._postgres.row(_SQL["by_public_key"], {"public_key": public_key})
        if row is None or row["scope"] != "PROJECT":
            return None
        return KeyOwner(row["project_id"], row["public_key"])


class _FastHashes:
    """The forms in which the fast hash of a secret may be stored."""

    def __init__(self, secret_key: str, salt: str) -> None:
        plain = fast_hash(secret_key, salt)
        self._salt_mark = hashlib.sha256(f"mark of {salt}".encode()).hexdigest()[:8] + ":"
        self._is_long = len(secret_key.encode()) >= _BCRYPT_BYTES
        self.marked = self._salt_mark + plain
        self.all = [self.marked, plain]
        """The second form is that of version 0.1.0."""

    def may_belong_to(self, row: DictRow) -> bool:
        """Whether the slow hash of a key with another fast hash can still be that of this secret."""
        if str(row["fast_hashed_secret_key"] or "").startswith(self._salt_mark):
            return False
        return row["hashed_secret_key"].startswith(_WHOLE) or not self._is_long


async def provision_key(connection: Connection, project_id: str, pair: KeyPair, salt: str) -> bool:
    """Make sure that the key exists in the project; returns whether it was created.

    A public key of another project moves here; the secret of an existing key is never changed. A secret belongs to one
    key only: with a new public key, it replaces the key that it had before.
    """
    row = await (await connection.execute(_SQL["by_public_key"], {"public_key": pair.public_key})).fetchone()
    if row is not None and row["project_id"] == project_id:
        return False
    hashed = await asyncio.to_thread(_slow_hash, pair.secret_key)
    fast = _FastHashes(pair.secret_key, salt)
    async with connection.transaction():
        await connection.execute(_SQL["delete"], {"public_key": pair.public_key, "fast_hashes": fast.all})
        await connection.execute(
            _SQL["insert"],
            {
                "id": uuid.uuid4().hex,
                "public_key": pair.public_key,
                "hashed": hashed,
                "fast_hash": fast.marked,
                "display": f"{pair.secret_key[:6]}...{pair.secret_key[-4:]}",
                "note": "Provisioned API Key",
                "project_id": project_id,
            },
        )
    return True


async def renew_hashes(connection: Connection, pair: KeyPair, salt: str) -> None:
    """Gives a key that version 0.1.0 stored its new hashes, so that wrong secrets cost no slow comparison."""
    row = await (await connection.execute(_SQL["by_public_key"], {"public_key": pair.public_key})).fetchone()
    fast = _FastHashes(pair.secret_key, salt)
    if row is not None and row["fast_hashed_secret_key"] in fast.all[1:]:
        slow = await asyncio.to_thread(_slow_hash, pair.secret_key)
        await connection.execute(_SQL["set_hashes"], {"id": row["id"], "fast": fast.marked, "slow": slow})


async def project_of_key(connection: Connection, public_key: str) -> str | None:
    """The project that a public key belongs to, None for one that is unknown."""
    row = await (await connection.execute(_SQL["by_public_key"], {"public_key": public_key})).fetchone()
    return row["project_id"] if row is not None else None


async def accepts_key(connection: Connection, pair: KeyPair, salt: str) -> bool:
    """Whether the stored key of this public key has this secret."""
    row = await (await connection.execute(_SQL["by_public_key"], {"public_key": pair.public_key})).fetchone()
    if row is None:
        return False
    hashes = _FastHashes(pair.secret_key, salt)
    if row["fast_hashed_secret_key"] in hashes.all:
        return True
    return hashes.may_belong_to(row) and await asyncio.to_thread(_matches, pair.secret_key, row["hashed_secret_key"])


def hash_password(password: str) -> str:
    """A bcrypt hash; takes a tenth of a second, so call it in a thread."""
    return bcrypt.hashpw(password.encode()[:_BCRYPT_BYTES], bcrypt.gensalt(_BCRYPT_COST)).decode()


def _slow_hash(secret: str) -> str:
    return _WHOLE + bcrypt.hashpw(_digest(secret), bcrypt.gensalt(_BCRYPT_COST)).decode()


def _matches(secret: str, hashed: str) -> bool:
    if hashed.startswith(_WHOLE):
        return bcrypt.checkpw(_digest(secret), hashed.removeprefix(_WHOLE).encode())
    return bcrypt.checkpw(secret.encode()[:_BCRYPT_BYTES], hashed.encode())


def _digest(secret: str) -> bytes:
    """A digest for bcrypt, which reads 72 bytes at most and stops at a zero byte."""
    return base64.b64encode(hashlib.sha256(secret.encode()).digest())
