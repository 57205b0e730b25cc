"""Texts to paste elsewhere that fetch or show a trace or an observation; pure."""

from __future__ import annotations

import json
import shlex
from typing import Final, Literal
from urllib.parse import quote

from tui.model.records import Server

Noun = Literal["trace", "observation"]

_LOGIN: Final = '"$LANGFUSE_PUBLIC_KEY:$LANGFUSE_SECRET_KEY"'
_PYTHON: Final = """from langfuse import Langfuse

# The keys come from LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY.
langfuse = Langfuse(base_url={url})
page = langfuse.api.observations.get_many({which}, fields="core,basic,time,io,metadata,model,usage")
for observation in page.data:
    print(observation.model_dump_json(indent=2))
"""


def curl(url: str, noun: Noun, identity: str) -> str:
    """A line for a POSIX shell that fetches one trace or observation."""
    return f"curl -s -u {_LOGIN} {shlex.quote(f'{url}/api/public/{noun}s/{_segment(identity)}')}"


def python(url: str, noun: Noun, identity: str) -> str:
    """A program for version 5 of the Langfuse SDK, which has observations but no call for one trace."""
    if noun == "trace":
        which = f"trace_id={identity!r}, limit=1000"
    else:
        condition = [{"type": "string", "column": "id", "operator": "=", "value": identity}]
        which = f"filter={json.dumps(condition)!r}"
    return _PYTHON.format(url=repr(url), which=which)


def trace_link(server: Server, trace_id: str) -> str:
    """The address of a trace for people; an appliance shows there the command that opens it."""
    return f"{server.url}/project/{_segment(server.project_id)}/traces/{_segment(trace_id)}"


def _segment(text: str) -> str:
    return quote(text, safe="", errors="replace")
