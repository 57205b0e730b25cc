"""Actions on a trace or an observation that several screens share: copying it, opening its link."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from appliance.api_types.traces import ApiTraceDetail
from appliance.model.messages import pretty
from tui import outside
from tui.content import copies
from tui.modals.choice import ChoiceModal
from tui.screens.base import AppScreen


def copy_trace(screen: AppScreen, trace: ApiTraceDetail) -> None:
    """The copy menu of a trace."""
    whole = json.loads(msgspec.json.encode(trace))
    del whole["observations"]  # which the gateway does not fetch with a trace
    offer_copy(screen, "trace", trace.id, trace.input, trace.output, whole)


def offer_copy(
    screen: AppScreen, noun: copies.Noun, identity: str, input_value: Any, output_value: Any, whole: dict[str, Any]
) -> None:
    """A menu: id, input, output, JSON, curl, Python, link; the chosen text goes to the clipboard by OSC 52."""
    server = screen.gateway.server
    texts = {
        "id": identity,
        "input": as_text(input_value),
        "output": as_text(output_value),
        "JSON": pretty(whole),
        "curl": copies.curl(server.url, noun, identity),
        "Python": copies.python(server.url, noun, identity),
        "link": copies.trace_link(server, identity) if noun == "trace" else "",
    }
    keys = {"id": "d", "input": "i", "output": "o", "JSON": "j", "curl": "c", "Python": "p", "link": "l"}
    rows = [(name, keys[name], name) for name, text in texts.items() if text]
    screen.app.push_screen(
        ChoiceModal(f"Copy of this {noun}", rows), lambda name: screen.host.copy(texts[name], name) if name else None
    )


def as_text(value: Any) -> str:
    """A value as it is pasted: text stays text, the rest is JSON."""
    if value is None:
        return ""
    return value if isinstance(value, str) else pretty(value)


def open_link(screen: AppScreen, trace_id: str) -> None:
    """Copies the web link; opens it in a browser where the server has web pages."""
    server = screen.gateway.server
    link = copies.trace_link(server, trace_id)
    if not server.local and (problem := outside.open_link(screen.app, link)):
        screen.notify(problem, severity="warning")
    screen.host.copy(link, "the link")
