"""A prompt version, and the rules for names, labels and messages (contract: server semantics 6.9)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from appliance import issues
from appliance.issues import Issue, Path
from appliance.model.names import folder_name_issues

PRODUCTION: Final = "production"
LATEST: Final = "latest"

_HTML: Final = re.compile(r"<[^>]*>")
_VARIABLE: Final = re.compile(r"\{\{\s*([A-Za-z0-9_.\-]+)\s*\}\}")
_REFERENCE: Final = "@@@langfusePrompt:"
_RESERVED_NAMES: Final = ("new", "metrics", "prompt-detail")
MAX_NAME_CHARS: Final = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """One version of a prompt."""

    id: str
    project_id: str
    name: str
    version: int
    type: str
    """`text` or `chat`."""
    prompt: Any
    """A string, or a list of messages."""
    config: Any
    labels: list[str]
    tags: list[str]
    commit_message: str | None
    created_by: str
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPrompt:
    """What a new version is made from."""

    name: str
    type: str
    prompt: Any
    labels: list[str] = field(default_factory=list)
    tags: list[str] | None = None
    """None keeps the tags that the prompt has; a list replaces them on all versions."""
    config: Any = None
    commit_message: str | None = None


def name_issues(name: str, path: Path = ("name",)) -> list[Issue]:
    """Why a prompt may not have this name; none when it may."""
    found = folder_name_issues(name, path)
    if len(name) > MAX_NAME_CHARS:
        found.append(issues.too_big(path, "string", MAX_NAME_CHARS))
    if _HTML.search(name):
        found.append(issues.custom(path, "Text cannot contain HTML tags"))
    if "//" in name:
        found.append(issues.custom(path, "Name cannot contain consecutive slashes"))
    if "|" in name:
        found.append(issues.no_match(path, "/^[^|]*$/", "Prompt name cannot contain '|' character"))
    if name in _RESERVED_NAMES:
        found.append(issues.custom(path, f"Prompt name cannot be '{name}'"))
    return found


def content_fault(prompt: Any) -> str | None:
    """Why this text or list of messages cannot be a prompt, None when it can."""
    texts = [prompt] if isinstance(prompt, str) else [str(message.get("content", "")) for message in prompt]
    if any(_REFERENCE in text for text in texts):
        return "References to other prompts are not supported by this version of the server"
    if isinstance(prompt, str):
        return None
    placeholders = {message["name"] for message in prompt if message.get("type") == "placeholder"}
    variables = {name for text in texts for name in _VARIABLE.findall(text)}
    if both := sorted(placeholders & variables):
        return f"Placeholder and variable names must differ: {', '.join(both)}"
    return None


def with_latest(labels: Sequence[str]) -> list[str]:
    """The labels in their order without repetitions, and `latest` behind them."""
    return list(dict.fromkeys([*labels, LATEST]))
