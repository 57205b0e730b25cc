"""Where the SDKs' `get_trace_url()` leads: there are no pages, but it says how to open the trace."""

from __future__ import annotations

import shlex

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from appliance.model.printable import printable


async def show_command(request: Request) -> Response:
    """The command that shows a trace; it needs no key, so it does not tell whether the trace exists."""
    command = shlex.join(["langfuse-local", "trace", printable(request.path_params["trace_id"])])
    text = f"This server has no web pages. Open the trace in a terminal on its machine:\n\n  {command}\n"
    return PlainTextResponse(text, headers={"X-Content-Type-Options": "nosniff"})


ROUTES = [Route("/project/{project_id:segment}/traces/{trace_id:segment}", show_command, methods=["GET"])]
