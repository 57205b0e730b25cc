"""Authorization by API keys, Basic or Bearer; the secret key alone decides (contract: server semantics 6.1)."""

from __future__ import annotations

import base64
import binascii
import logging
from dataclasses import dataclass
from typing import Literal

from starlette.requests import Request

from appliance.errors import Forbidden, Unauthorized
from appliance.storage.postgres.api_keys import KeyOwner
from appliance.web.key_ring import KeyRing
from appliance.web.state import context_of

log = logging.getLogger(__name__)

Access = Literal["project", "scores"]

_HINT = "Confirm that you've configured the correct host."


@dataclass(frozen=True, slots=True)
class Auth:
    """An authorised request: its project, and what it may do there."""

    project_id: str
    access: Access
    """`project` may do everything, `scores` (public key only) may only send scores."""


async def authorize(request: Request, *, allow_scores_only: bool = False) -> Auth:
    """The project that the request's key belongs to.

    With `allow_scores_only` a bare public key (Bearer) is enough and yields access `scores`.
    Raises Unauthorized for missing or wrong credentials, Forbidden for a key that may not do this.
    """
    header = request.headers.get("authorization")
    return await authorize_header(header, context_of(request).keys, allow_scores_only=allow_scores_only)


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
        if owner.public_key != public_key:  # accepted, as by the reference server
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
