"""Who asks: API keys by Basic or Bearer, decided by the secret (contract: server semantics 6.1)."""

from __future__ import annotations

import asyncio
import base64
import binascii
import logging
import time
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from starlette.requests import Request

from appliance.errors import Forbidden, Overloaded, Unauthorized
from appliance.storage.postgres.api_keys import KeyOwner

log = logging.getLogger(__name__)

Access = Literal["project", "scores"]

_KNOWN_FOR_S = 60.0
_UNKNOWN_FOR_S = 5.0
_MAX_CACHED = 10_000
_MAX_CACHED_CHARS = 500
_STRANGERS_AT_ONCE = 2
_STRANGERS_WAIT_S = 5.0

_Credentials = tuple[str, str]
"""Public and secret key as they were sent."""

_HINT = "Confirm that you've configured the correct host."


@dataclass(frozen=True, slots=True)
class Auth:
    """An authorised request: which project it may touch, and how far."""

    project_id: str
    access: Access
    """`project` may do everything, `scores` (public key only) may only send scores."""


class KeyStore(Protocol):
    """Where keys are looked up."""

    async def owner_by_secret(self, public_key: str, secret_key: str) -> KeyOwner | None:
        """The owner of a secret key, None when there is none; raises StoreUnavailable."""

    async def owner_by_public_key(self, public_key: str) -> KeyOwner | None:
        """The owner of a public key, None when there is none; raises StoreUnavailable."""


class KeyRing:
    """Looks keys up once a minute at most; wrong ones are remembered for a few seconds, apart from the others.

    Keys that nobody has heard of are looked up two at a time, so that guesses do not take all connections to Postgres
    from those who renew a known key. All who send the same share one look-up.
    """

    def __init__(self, store: KeyStore) -> None:
        self._store = store
        self._owners: dict[_Credentials, tuple[float, KeyOwner]] = {}
        self._refused: dict[_Credentials, float] = {}
        self._asking: dict[_Credentials, asyncio.Task[KeyOwner | None]] = {}
        self._strangers = asyncio.Semaphore(_STRANGERS_AT_ONCE)

    async def find(self, public_key: str, secret_key: str) -> KeyOwner | None:
        """The owner of a key pair; an empty secret looks up by the public key alone.

        Raises StoreUnavailable, and Overloaded when too many unknown keys are being looked up.
        """
        given = (public_key, secret_key)
        if self._is_remembered(given):
            return self._owners[given][1] if given in self._owners else None
        task = self._asking.get(given)
        if task is None:
            task = self._asking[given] = asyncio.create_task(self._ask(given))
            task.add_done_callback(_forget)
        return await asyncio.shield(task)

    def _is_remembered(self, given: _Credentials) -> bool:
        expires = self._owners[given][0] if given in self._owners else self._refused.get(given, 0.0)
        return expires > time.monotonic()

    async def _ask(self, given: _Credentials) -> KeyOwner | None:
        try:
            if given in self._owners:
                return await self._look_up(given)
            try:
                await asyncio.wait_for(self._strangers.acquire(), _STRANGERS_WAIT_S)
            except TimeoutError:
                raise Overloaded("Too many unknown keys are being checked.") from None
            try:
                return await self._look_up(given)
            finally:
                self._strangers.release()
        finally:
            del self._asking[given]

    async def _look_up(self, given: _Credentials) -> KeyOwner | None:
        public_key, secret_key = given
        if secret_key:
            owner = await self._store.owner_by_secret(public_key, secret_key)
        else:
            owner = await self._store.owner_by_public_key(public_key)
        if len(public_key) + len(secret_key) > _MAX_CACHED_CHARS:
            return owner
        if owner is None:
            self._owners.pop(given, None)
            _make_room(self._refused)
            self._refused[given] = time.monotonic() + _UNKNOWN_FOR_S
        else:
            _make_room(self._owners)
            self._owners[given] = time.monotonic() + _KNOWN_FOR_S, owner
        return owner

    def forget(self) -> None:
        """Drop all that is remembered, after a key was changed."""
        self._owners.clear()
        self._refused.clear()


def _forget(task: asyncio.Task[KeyOwner | None]) -> None:
    if not task.cancelled():
        task.exception()  # everybody who waited may have left


def _make_room(remembered: dict[_Credentials, Any]) -> None:
    if len(remembered) >= _MAX_CACHED:
        remembered.clear()


async def authorize(request: Request, *, allow_scores_only: bool = False) -> Auth:
    """The project that the request's key belongs to.

    With `allow_scores_only` a bare public key (Bearer) is enough and yields access `scores`.
    Raises Unauthorized for missing or wrong credentials, Forbidden for a key that may not do this.
    """
    header = request.headers.get("authorization")
    return await authorize_header(header, request.app.state.context.keys, allow_scores_only=allow_scores_only)


async def authorize_header(header: str | None, keys: KeyRing, *, allow_scores_only: bool = False) -> Auth:
    """As `authorize`, by the value of the authorization header alone."""
    if not header:
        raise Unauthorized("No authorization header")
    scheme, _, credentials = header.partition(" ")
    if scheme.lower() == "basic":
        public_key, secret_key = _split_basic(credentials)
        owner = await keys.find(public_key, secret_key) if secret_key else None
        if owner is None:
            raise Unauthorized(f"Invalid credentials. {_HINT}")
        if owner.public_key != public_key:
            log.warning("a request used the secret key of %s with another public key", owner.public_key)
        return Auth(_project_of(owner), "project")
    if scheme.lower() == "bearer":
        owner = await keys.find(credentials.strip(), "")
        if owner is None:
            raise Unauthorized(f"Invalid public key. {_HINT}")
        if not allow_scores_only:
            raise Forbidden("Access denied - insufficient permissions for this endpoint")
        return Auth(_project_of(owner), "scores")
    raise Unauthorized("Invalid authorization header")


def _project_of(owner: KeyOwner) -> str:
    if owner.project_id is None:
        raise Forbidden("Project ID not found for API token. Are you using an organization key?")
    return owner.project_id


def _split_basic(credentials: str) -> tuple[str, str]:
    try:
        text = base64.b64decode(credentials.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise Unauthorized("Invalid authorization header") from None
    public_key, colon, secret_key = text.partition(":")
    if not colon or "\0" in text:
        raise Unauthorized("Invalid authorization header")
    return public_key, secret_key
