"""The version this server reports."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

try:
    VERSION = version("langfuse-local")
except PackageNotFoundError:  # run from a checkout that was never installed
    VERSION = "0.0.0"
