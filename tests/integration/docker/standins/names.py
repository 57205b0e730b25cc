"""What the stand-ins are called, and the settings that name them."""

from __future__ import annotations

STORES = ("postgres", "redis", "clickhouse")


def tag_of(name: str) -> str:
    """The name of a stand-in."""
    return f"langfuse-local-tests/{name}:local"


def store_image_environ() -> dict[str, str]:
    """The settings that put the stand-ins in place of the stores' official images."""
    return {f"LANGFUSE_LOCAL_DOCKER_{name.upper()}_IMAGE": tag_of(name) for name in STORES}
