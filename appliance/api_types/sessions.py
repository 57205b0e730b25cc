"""Sessions."""

from __future__ import annotations

import msgspec

from appliance.api_types.traces import ApiTrace


class ApiSession(msgspec.Struct, kw_only=True, rename="camel"):
    """A session of a list."""

    id: str
    created_at: str = ""
    project_id: str | None = None
    environment: str | None = None


class ApiSessionDetail(ApiSession, kw_only=True):
    """A session with its traces."""

    traces: list[ApiTrace] = msgspec.field(default_factory=list)
