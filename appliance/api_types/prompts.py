"""Prompts."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from appliance.api_types.pages import PageMeta

_LABEL_FAULT: Final = "Label must be lowercase alphanumeric with optional underscores, hyphens, or periods"
Label = Annotated[
    str,
    Meta(min_length=1, max_length=36),
    Meta(pattern=r"^[a-z0-9_\-.]+\Z", extra={"message": _LABEL_FAULT}),
]


class _NewVersion(msgspec.Struct, kw_only=True, rename="camel"):
    name: str
    labels: list[Label] | None = None
    type: Literal["text", "chat"] | None = None
    prompt: str | list[dict[str, Any]]
    config: Any = None
    tags: list[str] | None = None
    commit_message: Annotated[str, Meta(max_length=500)] | None = None
    is_active: bool | None = None


class CreateTextPrompt(_NewVersion, kw_only=True):
    """Creates a prompt that is a text, or a new version of the one of that name."""

    type: Literal["text"] | None = None
    prompt: str


class CreateChatPrompt(_NewVersion, kw_only=True):
    """Creates a prompt that is a list of messages, or a new version of the one of that name."""

    type: Literal["chat"]
    prompt: list[dict[str, Any]]


class AddLabels(msgspec.Struct, kw_only=True, rename="camel"):
    """Gives a version more labels."""

    new_labels: list[Label]


class ApiPrompt(msgspec.Struct, kw_only=True, rename="camel"):
    """One version of a prompt."""

    id: str
    created_at: str = ""
    updated_at: str = ""
    project_id: str | None = None
    created_by: str | None = None
    name: str = ""
    version: int = 0
    type: str = "text"
    prompt: Any = None
    """A text, or a list of messages."""
    config: Any = None
    tags: list[str] = msgspec.field(default_factory=list)
    labels: list[str] = msgspec.field(default_factory=list)
    commit_message: str | None = None
    is_active: bool | UnsetType = UNSET
    """Whether it carries the label `production`; only where a version is read, as `resolution_graph`."""
    resolution_graph: UnsetType | None = UNSET


class ApiPromptSummary(msgspec.Struct, kw_only=True, rename="camel"):
    """A prompt of a list, with all its versions."""

    name: str
    type: str = ""
    """`text` or `chat`; empty for servers that do not say it in lists."""
    versions: list[int] = msgspec.field(default_factory=list)
    labels: list[str] = msgspec.field(default_factory=list)
    tags: list[str] = msgspec.field(default_factory=list)
    last_updated_at: str = ""
    last_config: Any = None


class PromptPage(msgspec.Struct, kw_only=True):
    """One page of prompts."""

    data: list[ApiPromptSummary]
    meta: PageMeta
    pagination: PageMeta
    """The same as `meta`, where SDKs of the first generation look for it."""
