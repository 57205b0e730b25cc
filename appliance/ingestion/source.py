"""Where a request came from, as far as its rows must know."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.model.usage import whole_number


@dataclass(frozen=True, slots=True)
class EntrySource:
    """The request of an entry of the queue."""

    project_id: str
    accepted_at: int
    """Microseconds since the epoch."""
    sdk_name: str = ""
    sdk_version: str = ""

    @property
    def has_json_metadata(self) -> bool:
        """Whether metadata strings come with JSON quotes: since version 5 of the Python SDK."""
        major = whole_number(self.sdk_version.partition(".")[0])
        return self.sdk_name == "python" and (major or 0) >= 5
