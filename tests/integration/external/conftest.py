"""Stores as somebody else runs them."""

from __future__ import annotations

from tests.integration.ingestion.conftest import pipeline

__all__ = ["pipeline"]
