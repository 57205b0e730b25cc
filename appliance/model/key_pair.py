"""The two keys by which clients of a project log in."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A public key and its secret key, in clear text."""

    public_key: str
    secret_key: str = field(repr=False)


def new_key_pair() -> KeyPair:
    """A random pair in the form of Langfuse's keys."""
    return KeyPair(f"pk-lf-{uuid.uuid4()}", f"sk-lf-{uuid.uuid4()}")
