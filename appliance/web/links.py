"""Links that carry their own permission: to send or fetch the content of one file, for a while.

They are signed with a key derived from the appliance's secrets, so every web process accepts those of every other, and
they lead to the address that the request came to: who reached us there will reach us again.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import quote, urlencode, urlsplit

from starlette.requests import Request

from appliance.config import Settings
from appliance.errors import ConfigError, Forbidden

PATH: Final = "/api/media"
UPLOAD_VALID_S: Final = 3600

Method = Literal["GET", "PUT"]
_HOST: Final = re.compile(r"[A-Za-z0-9._-]+(:\d{1,5})?|\[[0-9A-Fa-f:.]+\](:\d{1,5})?")

_PREFIX: Final = re.compile(r"(/[A-Za-z0-9._~-]+)+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """The permission that a link carries."""

    method: Method
    project_id: str
    media_id: str
    expires: int
    """Seconds since the epoch."""
    content_type: str = ""
    content_length: int = 0
    """Both only for uploads, which must be exactly this."""


class Links:
    """Signs links, and checks the links of requests."""

    def __init__(self, settings: Settings) -> None:
        secret = settings.salt + settings.encryption_key
        self._key = hmac.digest(secret.encode(), b"langfuse-local links to media", "sha256") if secret else b""
        self._public_url = settings.public_url

    def url(self, request: Request, grant: Grant) -> str:
        """The whole address; raises ConfigError where there is no secret to sign with."""
        fields: dict[str, object] = {"expires": grant.expires, "signature": self._signature(grant)}
        if grant.method == "PUT":
            fields = {"type": grant.content_type, "length": grant.content_length, **fields}
        place = f"{PATH}/{quote(grant.project_id, safe='')}/{quote(grant.media_id, safe='')}"
        return f"{origin_of(request, self._public_url)}{place}?{urlencode(fields)}"

    def grant_of(self, request: Request, method: Method) -> Grant:
        """What the link of this request permits; raises Forbidden for one that is forged, changed or too old."""
        query: Mapping[str, str] = request.query_params
        numbers = [query.get(name, "0") for name in ("expires", "length")]
        if not all(number.isascii() and number.isdigit() and len(number) < 20 for number in numbers):
            raise Forbidden("The link is not valid")
        grant = Grant(
            method=method,
            project_id=request.path_params["project_id"],
            media_id=request.path_params["media_id"],
            expires=int(numbers[0]),
            content_type=query.get("type", ""),
            content_length=int(numbers[1]),
        )
        if not hmac.compare_digest(self._signature(grant).encode(), query.get("signature", "").encode()):
            raise Forbidden("The link is not valid")
        if grant.expires < time.time():
            raise Forbidden("The link has expired")
        return grant

    def _signature(self, grant: Grant) -> str:
        if not self._key:
            raise ConfigError("There is no secret to sign links with.", hint="Set SALT.")
        parts = [
            grant.method,
            grant.project_id,
            grant.media_id,
            grant.expires,
            grant.content_type,
            grant.content_length,
        ]
        text = "\n".join(quote(str(part), safe="") for part in parts)
        return hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()


def origin_of(request: Request, public_url: str) -> str:
    """Scheme, host and prefix of paths that the client used, as forwarded by the proxy; `public_url` for the same host.

    A prefix that the proxy does not forward is that of `public_url`, below which web answers too.
    Not simply `public_url`: programs inside a network know us by another name than browsers outside.
    """
    forwarded = request.headers.get("x-forwarded-host", "").partition(",")[0].strip()
    host = forwarded or request.headers.get("host", "")
    if not _HOST.fullmatch(host):
        host = ""
    public = _base(public_url)
    forwarded_prefix = request.headers.get("x-forwarded-prefix", "").partition(",")[0].strip().rstrip("/")
    if not _PREFIX.fullmatch(forwarded_prefix):
        forwarded_prefix = ""
    if public and (not host or urlsplit(public).netloc == host):
        return public if prefix_of(public) else public + forwarded_prefix
    prefix = forwarded_prefix or prefix_of(public)
    scheme = request.headers.get("x-forwarded-proto", "").partition(",")[0].strip().lower()
    return f"{scheme if scheme in ('http', 'https') else request.scope['scheme']}://{host or 'localhost'}{prefix}"


def prefix_of(public_url: str) -> str:
    """The path of an address, such as `/langfuse`; empty when it has none."""
    path = urlsplit(_base(public_url)).path
    return path if _PREFIX.fullmatch(path) else ""


def _base(public_url: str) -> str:
    """The address without what Langfuse's own web page has below it, as its manual writes NEXTAUTH_URL."""
    return public_url.rstrip("/").removesuffix("/api/auth").rstrip("/")
