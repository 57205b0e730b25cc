"""Writes docs/api-coverage.md out of web's routes: `python -m tests.architecture.api_page > docs/api-coverage.md`."""

from __future__ import annotations

import re
from itertools import groupby

from starlette.routing import Route

from appliance.web.routes import ROUTES
from tests.architecture.source import document

HEAD = """\
# Endpoints

<!-- Made by `python -m tests.architecture.api_page > docs/api-coverage.md` from the routes of web. -->

What answers today, and what of Langfuse's public API does not yet. All need the project's keys (Basic authentication),
but for health and ready, and for the content of media, whose links carry their own permission.
"""

PARAMETER = re.compile(r"\{\w+(?::\w+)?\}")


def api_page() -> str:
    """The whole page."""
    served = served_endpoints()
    lines = [HEAD, "## Answers", "", "| Endpoint | What it does |", "| --- | --- |"]
    lines += [f"| `{endpoint}` | {text} |" for endpoint, text in served.items()]
    shapes = {PARAMETER.sub("{}", endpoint) for endpoint in served}
    missing = [
        endpoint
        for endpoint in document("tests/data/public_api.txt").splitlines()
        if PARAMETER.sub("{}", endpoint) not in shapes
    ]
    lines += ["", "## Not yet", "", "| Subject | Endpoints |", "| --- | --- |"]
    for subject, endpoints in groupby(sorted(missing, key=_subject), key=_subject):
        lines.append(f"| {subject} | {', '.join(f'`{endpoint}`' for endpoint in endpoints)} |")
    return "\n".join(lines) + "\n"


def served_endpoints() -> dict[str, str]:
    """`METHOD /path/{parameter}` and the first sentence of its handler, in order of the routes."""
    found: dict[str, str] = {}
    for route in ROUTES:
        assert isinstance(route, Route)
        path = re.sub(r"\{(\w+):\w+\}", r"{\1}", route.path)
        text = (route.endpoint.__doc__ or "").strip().partition("\n")[0].replace("|", "\\|")
        assert text, f"The handler of {path} has no docstring to show on the page."
        for method in sorted((route.methods or set()) - {"HEAD", "OPTIONS"}):
            found[f"{method} {path}"] = text
    return found


def _subject(endpoint: str) -> str:
    words = endpoint.split("/api/public/")[-1].split("/")
    return words[1] if words[0] in ("v2", "v3", "unstable") else words[0]


if __name__ == "__main__":
    print(api_page(), end="")
