"""The events of an entity's patches, for tests that merge them without the worker."""

from __future__ import annotations

from appliance.ingestion.legacy.aggregate import StoredEvent
from appliance.ingestion.legacy.merge import keyed_events_of
from appliance.model.patches import PatchSet


def events_of(patches: PatchSet) -> list[StoredEvent]:
    """The events in the order in which they apply."""
    return [event for _, event in keyed_events_of(patches)]
