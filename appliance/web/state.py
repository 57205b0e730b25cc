"""What the application holds, typed for request handlers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.requests import Request

if TYPE_CHECKING:
    from appliance.web.context import Context


def context_of(request: Request) -> Context:
    """Settings, stores and keys of the application that answers the request."""
    context: Context = request.app.state.context
    return context
