"""API keys: the secret is kept as a slow hash (bcrypt) and as a fast salted one for every-day look-ups."""

from __future__ import annotations

import asyncio
import hashlib
import uuid
from dataclasses import dataclass

import bcrypt

from appliance.storage.postgres.pool import Connection, Postgres
from appliance.storage.postgres.statements import statements

_BCRYPT_COST = 11
_BCRYPT_BYTES = 72
_SQL = statements("api_keys")


@dataclass(frozen=True, slots=True)
class KeyOwner:
    """What an API key stands for."""

    project_id: str | None
    """None for a key of a whole organization."""
    public_key: str


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A public key and its secret key, in clear text."""

    public_key: str
    secret_key: str


def new_key_pair() -> KeyPair:
    """A fresh random pair in the usual form."""
    return KeyPair(f"pk-lf-{uuid.uuid4()}", f"sk-lf-{uuid.uuid4()}")


def fast_hash(secret_key: str, salt: str) -> str:
    """SHA-256 over the secret followed by the salt's own hex digest (contract: server semantics 6.1)."""
    return hashlib.sha256(secret_key.encode() + hashlib.sha256(salt.encode()).hexdigest().encode()).hexdigest()


class ApiKeys:
    """Look-ups of keys. Every method raises StoreUnavailable."""

    def __init__(self, postgres: Postgres, salt: str) -> None:
        self._postgres = postgres
        self._salt = salt

    async def owner_by_secret(self, public_key: str, secret_key: str) -> KeyOwner | None:
        """Whom the secret belongs to, whatever public key came with it; None for an unknown secret.

        A key whose fast hash was made with another salt is found by its public key and gets a new fast hash.
        """
        hashed = fast_hash(secret_key, self._salt)
        if found := await self._postgres.row(_SQL["by_fast_hash"], {"fast_hash": hashed}):
            return KeyOwner(found["project_id"], found["public_key"])
        found = await self._postgres.row(_SQL["by_public_key"], {"public_key": public_key})
        if found is None or not await asyncio.to_thread(_matches, secret_key, found["hashed_secret_key"]):
            return None
        await self._postgres.execute(_SQL["set_fast_hash"], {"id": found["id"], "fast_hash": hashed})
        return KeyOwner(found["project_id"], found["public_key"])

    async def owner_by_public_key(self, public_key: str) -> KeyOwner | None:
        """Whom a public key belongs to; None for unknown ones and for keys of organizations."""
        found = await self._postgres.row(_SQL["by_public_key"], {"public_key": public_key})
        if found is None or found["scope"] != "PROJECT":
            return None
        return KeyOwner(found["project_id"], found["public_key"])


async def provision_key(connection: Connection, project_id: str, pair: KeyPair, salt: str) -> bool:
    """Make sure that the key exists in the project; returns whether it was created.

    A public key of another project moves here; the secret of an existing key is never changed. A secret belongs to one
    key only: given with another public key, it makes an end of the key that it had before.
    """
    found = await (await connection.execute(_SQL["by_public_key"], {"public_key": pair.public_key})).fetchone()
    if found is not None and found["project_id"] == project_id:
        return False
    hashed = await asyncio.to_thread(_slow_hash, pair.secret_key)
    fast = fast_hash(pair.secret_key, salt)
    async with connection.transaction():
        await connection.execute(_SQL["delete"], {"public_key": pair.public_key, "fast_hash": fast})
        await connection.execute(
            _SQL["insert"],
            {
                "id": uuid.uuid4().hex,
                "public_key": pair.public_key,
                "hashed": hashed,
                "fast_hash": fast,
                "display": f"{pair.secret_key[:6]}...{pair.secret_key[-4:]}",
                "note": "Provisioned API Key",
                "project_id": project_id,
            },
        )
    return True


async def project_of_key(connection: Connection, public_key: str) -> str | None:
    """The project that a public key belongs to, None for one that is unknown."""
    found = await (await connection.execute(_SQL["by_public_key"], {"public_key": public_key})).fetchone()
    return found["project_id"] if found is not None else None


async def accepts_key(connection: Connection, pair: KeyPair, salt: str) -> bool:
    """Whether the stored key of this public key has this secret."""
    hashed = {"fast_hash": fast_hash(pair.secret_key, salt)}
    found = await (await connection.execute(_SQL["by_fast_hash"], hashed)).fetchone()
    if found is not None and found["public_key"] == pair.public_key:
        return True
    found = await (await connection.execute(_SQL["by_public_key"], {"public_key": pair.public_key})).fetchone()
    return found is not None and await asyncio.to_thread(_matches, pair.secret_key, found["hashed_secret_key"])


def hash_password(password: str) -> str:
    """A bcrypt hash; takes a tenth of a second, so call it in a thread."""
    return _slow_hash(password)


def _slow_hash(secret: str) -> str:
    return bcrypt.hashpw(secret.encode()[:_BCRYPT_BYTES], bcrypt.gensalt(_BCRYPT_COST)).decode()


def _matches(secret: str, hashed: str) -> bool:
    return bcrypt.checkpw(secret.encode()[:_BCRYPT_BYTES], hashed.encode())
