"""The origin of a request, as needed by its rows."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.model.usage import whole_number


@dataclass(frozen=True, slots=True)
class EntrySource:
    """The project, time and SDK of an accepted request."""

    project_id: str
    accepted_at: int
    """Microseconds since the epoch."""
    sdk_name: str = ""
    sdk_version: str = ""

    @property
    def has_json_metadata(self) -> bool:
        """Whether metadata strings are JSON-quoted, as the Python SDK sends them since version 5."""
        major = whole_number(self.sdk_version.partition(".")[0])
        return self.sdk_name == "python" and (major or 0) >= 5
