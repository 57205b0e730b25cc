"""secrets.json: the generated passwords of the stores, the salt, and the first project's keys."""

from __future__ import annotations

import dataclasses
import re
import secrets
from typing import TYPE_CHECKING

import msgspec

from appliance.data_dir.private_files import write_private
from appliance.errors import ConfigError
from appliance.model.key_pair import KeyPair, new_key_pair
from appliance.paths import DataDir

if TYPE_CHECKING:
    from appliance.config import Settings


class Secrets(msgspec.Struct, kw_only=True, frozen=True):
    """The content of secrets.json; `migrate` on its own writes only the key pair, and `up` fills in the rest."""

    postgres_password: str = ""
    redis_password: str = ""
    clickhouse_password: str = ""
    salt: str = ""
    encryption_key: str = ""
    """64 hex characters."""
    public_key: str = ""
    secret_key: str = ""
    """Empty while only the database knows it, as a hash."""

    @property
    def key_pair(self) -> KeyPair:
        """The first project's keys."""
        return KeyPair(self.public_key, self.secret_key)


def generate_secrets() -> Secrets:
    """Random secrets for a new appliance."""
    keys = new_key_pair()
    return Secrets(
        postgres_password=secrets.token_hex(24),
        redis_password=secrets.token_hex(24),
        clickhouse_password=secrets.token_hex(24),
        salt=secrets.token_hex(16),
        encryption_key=secrets.token_hex(32),
        public_key=keys.public_key,
        secret_key=keys.secret_key,
    )


def read_secrets(data_dir: DataDir) -> Secrets | None:
    """The stored secrets, None before the first start; raises ConfigError when the file cannot be used."""
    path = data_dir.secrets_file
    try:
        return msgspec.json.decode(path.read_bytes(), type=Secrets)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except PermissionError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}.", hint="Is it another user's?") from error
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{path} cannot be read: {error}.", hint="Restore it from a backup: without it the stores stay closed."
        ) from error


def ensure_secrets(data_dir: DataDir, settings: Settings) -> Secrets:
    """The stored secrets, with missing ones generated, and with the salt and encryption key of the settings if set.

    Stores them when they changed. Keys of LANGFUSE_INIT_* are not stored: the database may know their public key with
    another secret, so the migration stores them once they work. Raises ConfigError.
    """
    stored = read_secrets(data_dir)
    _require_key(settings.encryption_key, stored)
    kept = msgspec.structs.asdict(stored) if stored else {}
    from_settings = {"salt": settings.salt, "encryption_key": settings.encryption_key}
    values = {name: value for name, value in (*kept.items(), *from_settings.items()) if value}
    if values.get("public_key"):  # never half of one pair and half of another
        values["secret_key"] = kept["secret_key"]
    current = msgspec.structs.replace(generate_secrets(), **values)
    if current != stored:
        _write_secrets(data_dir, current)
    return current


def store_key_pair(data_dir: DataDir, pair: KeyPair) -> None:
    """Stores the first project's keys and leaves the rest of the secrets; raises ConfigError."""
    current = msgspec.structs.replace(
        read_secrets(data_dir) or Secrets(), public_key=pair.public_key, secret_key=pair.secret_key
    )
    try:
        data_dir.root.mkdir(parents=True, exist_ok=True)
        _write_secrets(data_dir, current)
    except OSError as error:
        raise ConfigError(
            f"{data_dir.secrets_file} cannot be written: {error.strerror}.", hint="Set LANGFUSE_LOCAL_DATA_DIR."
        ) from error


def with_secrets(settings: Settings, stored: Secrets) -> Settings:
    """Settings with these salt and encryption key."""
    return dataclasses.replace(settings, salt=stored.salt, encryption_key=stored.encryption_key)


def with_stored_salt(settings: Settings) -> Settings:
    """Settings with the salt and encryption key of the data directory where they are not set.

    Raises ConfigError, also when there is no salt: without one anybody could compute hashes and links.
    """
    stored = read_secrets(DataDir(settings.data_dir)) or Secrets()
    _require_key(settings.encryption_key, stored)
    salt = settings.salt or stored.salt
    if not salt:
        raise ConfigError(
            "There is no SALT.", hint="Make one (openssl rand -hex 16) and keep it: all processes need the same."
        )
    return dataclasses.replace(settings, salt=salt, encryption_key=settings.encryption_key or stored.encryption_key)


def _write_secrets(data_dir: DataDir, current: Secrets) -> None:
    write_private(data_dir.secrets_file, msgspec.json.format(msgspec.json.encode(current), indent=2).decode())


def _require_key(key: str, stored: Secrets | None) -> None:
    """Raises ConfigError for a malformed encryption key, unless it is the one in use."""
    in_use = stored.encryption_key if stored else ""
    if key and key != in_use and not re.fullmatch("[0-9a-fA-F]{64}", key):
        raise ConfigError("ENCRYPTION_KEY must be 64 hex characters.", hint="Make one: openssl rand -hex 32")
