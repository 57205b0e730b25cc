"""What the stand-ins are called, and the settings that name them."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path

STORES = ("postgres", "redis", "clickhouse")
_HERE = Path(__file__).parent


def tag_of(name: str) -> str:
    """The name of a stand-in; another one when its recipe changed."""
    return f"langfuse-local-tests/{name}:{_version()}"


@functools.cache
def _version() -> str:
    digest = hashlib.sha256()
    for file in sorted(path for path in _HERE.iterdir() if path.suffix in (".py", ".sh")):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


def store_image_environ() -> dict[str, str]:
    """The settings that put the stand-ins in place of the stores' official images."""
    return {f"LANGFUSE_LOCAL_DOCKER_{name.upper()}_IMAGE": tag_of(name) for name in STORES}
