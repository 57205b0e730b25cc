"""Addresses of Postgres as users have them: libpq's form, and Prisma's, whose parameters libpq refuses."""

from __future__ import annotations

import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from appliance.config import PostgresSettings
from appliance.errors import ConfigError

_TRUE: Final = ("true", "1", "yes")
_PRISMA_ONLY: Final = frozenset(
    {
        "connection_limit",
        "pgbouncer",
        "pool_timeout",
        "schema",
        "socket_timeout",
        "sslaccept",
        "sslidentity",
        "statement_cache_size",
    }
)
"""Parameters that libpq refuses."""

_HINT: Final = "Fix DATABASE_URL. In a password / ? # @ % are written as %2F %3F %23 %40 %25."
_QUOTED: Final = re.compile(r"([\"']).*\1", re.DOTALL)
_NAMES_PARAMETER: Final = re.compile(r'invalid (URI query parameter:|connection option) "[a-z_]+"')

# After these the kernel closes the connection to a server that vanished without closing it.
_KEEPALIVE: Final[Mapping[str, str]] = {
    "keepalives_idle": "30",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "15000",
}


@dataclass(frozen=True, slots=True)
class Address:
    """The parameters of connections to Postgres."""

    conninfo: str
    """A connection string for libpq, with time-outs."""
    pool_size: int
    is_pooled: bool
    """Whether a pooler changes servers between transactions: then sessions hold no settings or prepared statements."""
    schema: str = ""
    """Where the tables are, when that is not `public`."""


def address_of(settings: PostgresSettings, *, direct: bool = False) -> Address:
    """The address of these settings, with `direct` the one for migrations where there is one; raises ConfigError.

    A certificate authority without `sslmode` means full verification; libpq alone would not insist on TLS at all.
    """
    url = (settings.direct_url if direct else "") or settings.address
    if not url:
        raise ConfigError("There is no address of Postgres.", hint="Set DATABASE_URL.")
    try:
        prisma, plain = _without_prisma(url)
        parameters = {name: str(value) for name, value in conninfo_to_dict(plain).items()}
        _require_place(parameters)
        limit = int(prisma.get("connection_limit", settings.pool_size))
    except (ValueError, psycopg.ProgrammingError) as error:
        text = _without_secrets(str(error).strip().rstrip("."))
        # Without its cause: a traceback would show the password in it.
        raise ConfigError(f"The address of Postgres cannot be used: {text}.", hint=_HINT) from None
    _choose_tls(parameters, prisma)
    is_pooled = settings.pooler or prisma.get("pgbouncer", "").lower() in _TRUE
    if direct and settings.direct_url:
        is_pooled = False
    parameters = {**_KEEPALIVE, "connect_timeout": str(settings.connect_timeout_s), **parameters}
    schema = "" if prisma.get("schema", "public") == "public" else prisma["schema"]
    if not is_pooled:
        parameters["options"] = " ".join(
            filter(None, [parameters.get("options", ""), *_session(settings, schema, direct)])
        )
    elif schema:
        raise ConfigError(
            "A pooler that changes servers between transactions cannot be told a schema.",
            hint="Leave schema out of DATABASE_URL, and give the role its own: ALTER ROLE ... SET search_path = ...",
        )
    return Address(make_conninfo(**parameters), max(1, limit), is_pooled, schema)


def _require_place(parameters: Mapping[str, str]) -> None:
    """Raises ValueError where a sign in the password has cut the address: libpq's own message would quote the rest."""
    if not re.fullmatch(r"[\d,]*", parameters.get("port", "")) or "@" in parameters.get("host", "").partition("/")[0]:
        raise ValueError("its host or port is not valid")


def _without_secrets(text: str) -> str:
    """A complaint without what it quotes of the address, which may be the password; parameters that are words stay."""
    return text if _NAMES_PARAMETER.fullmatch(text) else _QUOTED.sub("…", text)


def _session(settings: PostgresSettings, schema: str, direct: bool) -> list[str]:
    """The `options` of a session; migrations have no statement time-out."""
    options = ["-c timezone=UTC"]
    if not direct:
        options.append(f"-c statement_timeout={settings.statement_timeout_ms}")
    if schema:
        identifier = '"' + schema.replace('"', '""') + '"'
        options.append("-c search_path=" + re.sub(r"([\\\s])", r"\\\1", identifier))
    return options


def _without_prisma(url: str) -> tuple[dict[str, str], str]:
    """Prisma's own parameters of an address, and the address without them."""
    if "://" not in url:  # libpq's other form, `host=... dbname=...`
        return {}, url
    parts = urlsplit(url)
    # libpq would take what stands between the first @ and the next / or ? for a host, and name it when it is not there.
    if "@" in f"{parts.path}{parts.query}{parts.fragment}":
        raise ValueError("a sign in the password cuts it at the wrong place")
    if parts.scheme not in ("postgresql", "postgres"):
        raise ValueError(f"it begins with {parts.scheme}://, not with postgresql://")
    parameters = dict(parse_qsl(parts.query, keep_blank_values=True))
    prisma = {name: value for name, value in parameters.items() if name in _PRISMA_ONLY}
    query = urlencode({name: value for name, value in parameters.items() if name not in _PRISMA_ONLY}, quote_via=quote)
    return prisma, urlunsplit((parts.scheme, parts.netloc, parts.path, query, ""))


def _choose_tls(parameters: dict[str, str], prisma: Mapping[str, str]) -> None:
    accept = prisma.get("sslaccept", "")
    if accept:  # Prisma calls the authority sslcert, and knows no client certificates but in its own format
        if "sslidentity" in prisma:
            raise ConfigError(
                "sslidentity is a format that libpq does not read.", hint="Use sslcert and sslkey, without sslaccept."
            )
        if authority := parameters.pop("sslcert", ""):
            parameters["sslrootcert"] = authority
        parameters["sslmode"] = "verify-full" if accept == "strict" else "require"
    if "sslrootcert" in parameters:
        parameters.setdefault("sslmode", "verify-full")
    elif parameters.get("sslmode") in ("verify-full", "verify-ca"):
        parameters["sslrootcert"] = _system_authorities()
    for name in ("sslrootcert", "sslcert", "sslkey"):
        _require_file(name, parameters.get(name, ""))


def _require_file(name: str, path: str) -> None:
    if path not in ("", "system") and not Path(path).is_file():
        raise ConfigError(f"{name}: {path} is not there, or may not be read.", hint="Fix DATABASE_URL.")


def _system_authorities() -> str:
    """The file of the authorities that this system trusts; libpq comes in a wheel and does not know where it is."""
    defaults = ssl.get_default_verify_paths()
    usual = (
        defaults.cafile,
        "/etc/ssl/certs/ca-certificates.crt",
        "/etc/pki/tls/certs/ca-bundle.crt",
        "/etc/ssl/cert.pem",
    )
    return next((path for path in usual if path and Path(path).is_file()), "system")
