"""The attributes of Langfuse's own SDKs (contract: SDK contract 4.2, server semantics 4.2)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from appliance.ingestion.json_text import parse_object, parse_or_keep, to_text
from appliance.ingestion.otel.draft import Draft
from appliance.ingestion.otel.first_token import moment_of
from appliance.ingestion.otel.metadata import metadata_of, metadata_text
from appliance.ingestion.otel.span import Attributes, Span
from appliance.ingestion.token_usage import normalise_usage
from appliance.model.observations import OBSERVATION_TYPES
from appliance.model.usage import whole_number

PREFIXES: Final = frozenset({"langfuse", "user", "session"})

_TYPES: Final = {name.lower(): name for name in OBSERVATION_TYPES}
_LEVELS: Final = {
    "debug": "DEBUG",
    "trace": "DEBUG",
    "verbose": "DEBUG",
    "default": "DEFAULT",
    "info": "DEFAULT",
    "log": "DEFAULT",
    "notice": "DEFAULT",
    "ok": "DEFAULT",
    "success": "DEFAULT",
    "warning": "WARNING",
    "warn": "WARNING",
    "error": "ERROR",
    "fatal": "ERROR",
    "critical": "ERROR",
}
_OBSERVATION_METADATA: Final = ("langfuse.observation.metadata.", "langfuse.metadata.")
_TRACE_METADATA: Final = "langfuse.trace.metadata."
_EXPERIMENT: Final = "langfuse.experiment."
_FIRST_TEXTS: Final = (
    ("version", ("langfuse.version", "langfuse.generation.version", "langfuse.trace.version")),
    ("release", ("langfuse.release", "langfuse.trace.release")),
    ("user_id", ("langfuse.user.id", "user.id")),
    ("session_id", ("langfuse.session.id", "session.id")),
)
"""Fields that may come from several attributes; the first with a value counts."""
_PARENT: Final = "langfuse.generation.parent_observation_id"
"""Set by LiteLLM."""
_USAGE: Final = "langfuse.observation.usage_details."
_COSTS: Final = "langfuse.observation.cost_details."
_SCRUBBED: Final = "[Scrubbed due to "
"""Logfire writes this in place of a value that looks like a secret."""


class LangfuseMapper:
    """Reads `langfuse.*`, and the user and session attributes that OpenTelemetry shares with it."""

    prefixes = PREFIXES

    def map_span(self, span: Span, draft: Draft) -> None:
        """Fill in all fields that these attributes set; this mapper comes first, so none of them is set before."""
        attributes = span.attributes
        # Loops over the attributes of the span, not over all readers: most spans have only a few of them.
        for key in [key for key in attributes if key in _READERS]:
            if _READERS[key](draft, attributes[key]):
                del attributes[key]
        for field, names in _FIRST_TEXTS:
            for name in names:
                if name in attributes:
                    setattr(draft, field, _first_text(attributes, names))
                    break
        if parent := _text(attributes.pop(_PARENT, None)):
            span.parent_id = parent
        self._map_others(span, draft)
        if draft.usage is not None:
            draft.usage = normalise_usage(draft.usage) or None
        for metadata in (draft.metadata, draft.trace_metadata):
            if metadata and (metadata.keys() & _HANDED_ON):
                _take_handed_on(metadata, draft)
        if draft.type == "SPAN" and _is_old_generation(span, draft):
            draft.type = "GENERATION"

    def _map_others(self, span: Span, draft: Draft) -> None:
        """Read attributes whose names end in a free key, and prompts, which take two attributes."""
        attributes, is_json = span.attributes, span.scope.has_json_metadata
        usage: Attributes = {}
        costs: Attributes = {}
        for key in [key for key in attributes if key.startswith("langfuse.")]:
            if key.startswith(_TRACE_METADATA):
                draft.trace_metadata[key[len(_TRACE_METADATA) :]] = metadata_text(attributes.pop(key), is_json=is_json)
            elif key.startswith(_EXPERIMENT):
                draft.experiment[key[len(_EXPERIMENT) :]] = to_text(attributes[key])
            elif key == "langfuse.trace.metadata":
                draft.trace_metadata |= metadata_of(attributes.pop(key), is_json=is_json)
            elif key in ("langfuse.observation.metadata", "langfuse.metadata"):
                draft.metadata |= metadata_of(attributes.pop(key), is_json=is_json)
            elif key.startswith(_OBSERVATION_METADATA):
                name = key.partition(".metadata.")[2]
                draft.metadata[name] = metadata_text(attributes.pop(key), is_json=is_json)
            elif key.startswith(_USAGE):
                usage[key[len(_USAGE) :]] = attributes.pop(key)
            elif key.startswith(_COSTS):
                costs[key[len(_COSTS) :]] = attributes.pop(key)
            elif key.endswith(".prompt.name"):
                _take_prompt(attributes, key.removesuffix("name"), draft)
        draft.usage = {**(draft.usage or {}), **usage} or draft.usage
        draft.costs = {**(draft.costs or {}), **costs} or draft.costs


# Integrations hand user, session and tags on as metadata of a chain.
_HANDED_ON: Final = frozenset({"langfuse_user_id", "langfuse_session_id", "langfuse_tags"})


def _take_handed_on(metadata: dict[str, str], draft: Draft) -> None:
    draft.user_id = draft.user_id or metadata.pop("langfuse_user_id", None)
    draft.session_id = draft.session_id or metadata.pop("langfuse_session_id", None)
    draft.tags = draft.tags or tags_of(metadata.pop("langfuse_tags", None))


def tags_of(value: Any) -> list[str] | None:
    """Tags from a list, the JSON text of one, a list with commas, or a single tag; None when there are none."""
    if not value:
        return None
    if isinstance(value, str):
        parsed = parse_or_keep(value) if value[0] == "[" else value
        value = parsed if isinstance(parsed, list) else [part.strip() for part in value.split(",")]
    if not isinstance(value, list):
        value = [value]
    return [to_text(tag) for tag in value if tag not in (None, "")] or None


def _text(value: Any) -> str | None:
    if value is None or value == "":
        return None
    text = value if isinstance(value, str) else to_text(value)
    return None if text.startswith(_SCRUBBED) else text


def _first_text(attributes: Attributes, names: tuple[str, ...]) -> str | None:
    """The first of the names that has a text; those with the same text, or none, are removed as well."""
    chosen = None
    for name in names:
        if name in attributes:
            text = _text(attributes[name])
            chosen = chosen or text
            if text in (None, chosen):
                del attributes[name]
    return chosen


def _take_prompt(attributes: Attributes, prefix: str, draft: Draft) -> None:
    name, number = attributes[f"{prefix}name"], whole_number(attributes.get(f"{prefix}version"))
    if name and number is not None and (draft.prompt_name is None or prefix == "langfuse.observation.prompt."):
        draft.prompt_name, draft.prompt_version = str(name), number
        del attributes[f"{prefix}name"], attributes[f"{prefix}version"]


def _is_true(value: Any) -> bool:
    return value is True or (isinstance(value, str) and value.lower() == "true")


def _is_old_generation(span: Span, draft: Draft) -> bool:
    """Python SDKs up to 3.3 sent generations as spans."""
    if not span.scope.is_langfuse_sdk or not span.scope.version.startswith(("3.0.", "3.1.", "3.2.", "3.3.0")):
        return False
    fields = (draft.model, draft.model_parameters, draft.usage, draft.costs, draft.prompt_name, draft.completion_start)
    return any(value is not None for value in fields)


Reader = Callable[[Draft, Any], bool]
"""Puts the value of an attribute into a draft; False when it does not understand it, and leaves it where it is."""


def _as_sent(field: str) -> Reader:
    def read(draft: Draft, value: Any) -> bool:
        setattr(draft, field, value)
        return True

    return read


def _as_text(field: str) -> Reader:
    def read(draft: Draft, value: Any) -> bool:
        setattr(draft, field, _text(value))
        return True

    return read


def _as_object(field: str) -> Reader:
    def read(draft: Draft, value: Any) -> bool:
        parsed = parse_object(value)
        setattr(draft, field, parsed)
        return parsed is not None

    return read


def _as_word(field: str, words: Mapping[str, str]) -> Reader:
    def read(draft: Draft, value: Any) -> bool:
        word = words.get(str(value).lower())
        setattr(draft, field, word)
        return word is not None

    return read


def _as_flag(field: str) -> Reader:
    def read(draft: Draft, value: Any) -> bool:
        setattr(draft, field, getattr(draft, field) or _is_true(value))
        return True

    return read


def _read_tags(draft: Draft, value: Any) -> bool:
    draft.tags = tags_of(value) or draft.tags
    return True


def _read_other_tags(draft: Draft, value: Any) -> bool:
    draft.tags = draft.tags or tags_of(value)
    return True


def _read_first_token(draft: Draft, value: Any) -> bool:
    draft.completion_start = moment_of(value)
    return True


_READERS: Final[Mapping[str, Reader]] = {
    "langfuse.observation.type": _as_word("type", _TYPES),
    "langfuse.generation.name": _as_text("name"),
    "langfuse.observation.input": _as_sent("input"),
    "langfuse.observation.output": _as_sent("output"),
    "langfuse.observation.level": _as_word("level", _LEVELS),
    "langfuse.observation.status_message": _as_text("status_message"),
    "langfuse.observation.completion_start_time": _read_first_token,
    "langfuse.observation.model.name": _as_text("model"),
    "langfuse.observation.model.parameters": _as_object("model_parameters"),
    "langfuse.observation.usage_details": _as_object("usage"),
    "langfuse.observation.cost_details": _as_object("costs"),
    "langfuse.internal.as_root": _as_flag("as_root"),
    "langfuse.internal.is_app_root": _as_flag("is_app_root"),
    "langfuse.trace.name": _as_text("trace_name"),
    "langfuse.trace.input": _as_sent("trace_input"),
    "langfuse.trace.output": _as_sent("trace_output"),
    "langfuse.trace.tags": _read_tags,
    "langfuse.tags": _read_other_tags,
    "langfuse.trace.public": _as_flag("public"),
    "langfuse.public": _as_flag("public"),
}
