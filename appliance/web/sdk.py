"""Which SDK sent a request, by its headers (contract: server semantics 3.7)."""

from __future__ import annotations

from collections.abc import Mapping

_MAX_CHARS = 100


def sdk_of(headers: Mapping[str, str]) -> tuple[str, str]:
    """Name and version of the SDK, empty when unknown; older SDKs write the headers with underscores."""
    name = headers.get("x-langfuse-sdk-name") or headers.get("x_langfuse_sdk_name") or ""
    version = headers.get("x-langfuse-sdk-version") or headers.get("x_langfuse_sdk_version") or ""
    return name[:_MAX_CHARS], version[:_MAX_CHARS]
