"""What can be done with a trace or an observation from any screen: copy it, open its link, read it in an editor."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import tempfile
from typing import TYPE_CHECKING, Any

import msgspec
from textual.app import SuspendNotSupported

from tui.chat import pretty
from tui.modals.choice import ChoiceModal
from tui.records import TraceDetail

if TYPE_CHECKING:
    from tui.app import LangfuseApp


def copy_trace(app: LangfuseApp, trace: TraceDetail) -> None:
    """The copy menu of a trace."""
    whole = json.loads(msgspec.json.encode(trace))
    offer_copy(app, "trace", trace.id, f"/api/public/traces/{trace.id}", trace.input, trace.output, whole)


def offer_copy(
    app: LangfuseApp, noun: str, identity: str, path: str, given: Any, answered: Any, whole: dict[str, Any]
) -> None:
    """A menu: id, input, output, JSON, curl, Python; what is chosen goes to the clipboard by OSC 52."""
    server = app.gateway.server
    texts = {
        "id": identity,
        "input": as_text(given),
        "output": as_text(answered),
        "JSON": pretty(whole),
        "curl": f'curl -s -u "$LANGFUSE_PUBLIC_KEY:$LANGFUSE_SECRET_KEY" "{server.url}{path}"',
        "Python": _python(noun, identity),
        "link": f"{server.url}/project/{server.project_id}/traces/{identity}" if noun == "trace" else "",
    }
    keys = {"id": "d", "input": "i", "output": "o", "JSON": "j", "curl": "c", "Python": "p", "link": "l"}
    rows = [(what, keys[what], what) for what, text in texts.items() if text]
    app.push_screen(
        ChoiceModal(f"Copy of this {noun}", rows), lambda what: app.copy(texts[what], what) if what else None
    )


def _python(noun: str, identity: str) -> str:
    call = f"trace.get({identity!r})" if noun == "trace" else f"observations.get_many(filter=...)  # {identity}"
    return f"from langfuse import get_client\n\n{noun} = get_client().api.{call}\n"


def as_text(value: Any) -> str:
    """A value as it is pasted: text stays text, the rest is JSON."""
    if value is None:
        return ""
    return value if isinstance(value, str) else pretty(value)


def open_link(app: LangfuseApp, trace_id: str) -> None:
    """Copies the web link; opens it in a browser where the server has web pages."""
    server = app.gateway.server
    link = f"{server.url}/project/{server.project_id}/traces/{trace_id}"
    if not server.local:
        app.open_url(link)
    app.copy(link, "the link")


def edit_text(app: LangfuseApp, text: str, suffix: str = ".txt") -> None:
    """Shows a text in $EDITOR or $PAGER while the terminal UI steps aside."""
    command = os.environ.get("EDITOR") or os.environ.get("PAGER") or "less"
    with tempfile.NamedTemporaryFile("w", suffix=suffix, prefix="langfuse-", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        try:
            with app.suspend():
                subprocess.run([*shlex.split(command), file.name], check=False)
        except SuspendNotSupported:
            app.notify("This terminal cannot make room for an editor.", severity="warning")
        except OSError as error:
            app.notify(f"{command} cannot be run: {error.strerror}.", severity="warning")
