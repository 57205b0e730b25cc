"""Finds the chat messages in an input or output, whichever provider's form it has; pure."""

from __future__ import annotations

import json
from typing import Any, Final, Literal

import msgspec

from appliance.model.media import readable

_MEDIA_KEYS: Final = (
    "image_url", "url", "uri", "source", "inlineData", "fileData", "input_audio", "image", "file", "file_id", "data",
)  # fmt: skip
_MEDIA: Final = frozenset(
    (
        "image_url", "image", "input_image", "input_audio", "audio", "video", "document", "blob", "uri", "file",
        "input_file",
    )
)  # fmt: skip
_CALLS: Final = frozenset(("tool_use", "tool_call", "function_call", "server_tool_call", "server_tool_use"))
_RESULTS: Final = frozenset(
    ("tool_result", "tool_call_response", "function_call_output", "server_tool_call_response", "tool_response")
)
_THOUGHTS: Final = frozenset(("thinking", "reasoning"))
_TEXTS: Final = frozenset(("text", "input_text", "output_text"))
_HELD: Final = frozenset(
    (
        *_MEDIA_KEYS, "content", "text", "thinking", "summary", "arguments", "input", "server_tool_call",
        "output", "result", "response", "server_tool_call_response",
    )
)  # fmt: skip
"""Keys of which a part has at least one."""

PartKind = Literal["text", "thinking", "call", "result", "media", "json"]


class Part(msgspec.Struct, frozen=True):
    """One piece of a message: text, a tool call or its result, a picture, or something else as JSON."""

    kind: PartKind
    text: str
    title: str = ""


class Message(msgspec.Struct, frozen=True):
    """One message of a chat."""

    role: str
    parts: list[Part] = msgspec.field(default_factory=list)


def parse_messages(value: Any) -> list[Message] | None:
    """The messages in a value, or None when it is not a chat."""
    if isinstance(value, list):
        found = [_message(item) for item in value if isinstance(item, dict)]
        messages = [message for message in found if message is not None]
        return _joined(messages) if messages and len(messages) == len(value) else None
    if not isinstance(value, dict):
        return None
    for key in ("messages", "contents"):
        if isinstance(value.get(key), list) and (inner := parse_messages(value[key])):
            return _with_system(value, inner)
    if isinstance(choices := value.get("choices"), list):
        picked = [choice.get("message") for choice in choices if isinstance(choice, dict)]
        return parse_messages([choice for choice in picked if choice])
    one = _message(value)
    return [one] if one else None


def _with_system(value: dict[str, Any], messages: list[Message]) -> list[Message]:
    system = value.get("system") or value.get("systemInstruction")
    return [Message("system", _parts(system)), *messages] if system else messages


def _message(item: dict[str, Any]) -> Message | None:
    if isinstance(item.get("message"), dict) and {"index", "finish_reason"} & item.keys():  # one choice
        return _message(item["message"])
    if "role" not in item and (sayer := _role_of_part(item)):
        return _Loose(sayer, _piece(item))
    role = item.get("role") or item.get("type")
    if not isinstance(role, str) or not ({"content", "parts", "tool_calls", "function_call"} & item.keys()):
        return None
    parts = _parts(item.get("content") if "content" in item else item.get("parts"))
    calls = list(item.get("tool_calls") or [])
    calls += [item["function_call"]] if isinstance(item.get("function_call"), dict) else []
    parts += [_call(call) for call in calls if isinstance(call, dict)]
    if role in ("tool", "function") and parts:
        name = str(item.get("name") or item.get("tool_call_id") or "")
        parts = [Part("result", part.text, name) if part.kind in ("text", "json") else part for part in parts]
    return Message(role.lower(), parts)


class _Loose(Message, frozen=True):
    """A part without a message of its own, among messages or alone."""


def _role_of_part(item: dict[str, Any]) -> str:
    """The role of a part without one; empty for a value that is no part."""
    kind = item.get("type")
    if not isinstance(kind, str) or not _HELD & item.keys():
        return ""
    if kind in _CALLS or kind in _THOUGHTS:
        return "assistant"
    if kind in _RESULTS:
        return "tool"
    return "message" if kind in _TEXTS or kind in _MEDIA else ""


def _joined(messages: list[Message]) -> list[Message]:
    """The messages, with loose parts joined into messages."""
    joined: list[Message] = []
    for message in messages:
        before = joined[-1] if joined else None
        if isinstance(message, _Loose) and isinstance(before, _Loose) and before.role == message.role:
            before.parts.extend(message.parts)
        else:
            joined.append(message)
    return joined


def summary(value: Any) -> str:
    """The last message of a value on one line; empty when it is not a chat."""
    messages = parse_messages(value)
    if not messages:
        return ""
    pieces = {"call": "→ {title}", "media": "{title} {text}"}
    return " ".join(
        pieces.get(part.kind, "{text}").format(title=part.title, text=part.text) for part in messages[-1].parts
    )


def full_text(message: Message) -> str:
    """The text of a message, with its tool calls and their arguments; each part begins a line."""
    pieces = {"call": "→ {title} {text}", "result": "← {text}", "media": "[{title}] {text}"}
    return "\n".join(pieces.get(part.kind, "{text}").format(title=part.title, text=part.text) for part in message.parts)


def _parts(content: Any) -> list[Part]:
    if content is None or content == "":
        return []
    if isinstance(content, str):
        return [Part("text", readable(content))]
    if isinstance(content, list):
        return [part for item in content for part in _piece(item)]
    return _piece(content)


def _piece(item: Any) -> list[Part]:
    if isinstance(item, str):
        return [Part("text", readable(item))]
    if not isinstance(item, dict):
        return [Part("json", pretty(item))]
    kind = str(item.get("type", ""))
    if kind in _THOUGHTS:
        thought = next((item[key] for key in ("thinking", "text", "content", "summary") if item.get(key)), "")
        return [Part("thinking", readable(_flat(thought)))]
    if isinstance(item.get("text"), str):
        return [Part("text", readable(item["text"]))]
    if kind in _TEXTS and "content" in item:
        return [Part("text", readable(_flat(item["content"])))]
    if kind in _CALLS or "functionCall" in item:
        return [_call(item.get("functionCall") or item)]
    if kind in _RESULTS or "functionResponse" in item:
        return [_result(item.get("functionResponse") or item)]
    if kind in _MEDIA or "inlineData" in item or "fileData" in item:
        return [Part("media", _media(item, kind), str(item.get("modality") or kind or "media"))]
    return [Part("json", pretty(item))]


def _result(inner: dict[str, Any]) -> Part:
    """The result of a tool: `response` in the GenAI convention, `result` in its first version, others' own names."""
    keys = ("content", "output", "result", "response", "server_tool_call_response")
    answer = next((inner[key] for key in keys if inner.get(key) is not None), "")
    title = next((inner[key] for key in ("name", "tool_use_id", "call_id", "id") if inner.get(key)), "")
    return Part("result", readable(_flat(answer)), str(title))


def _call(call: dict[str, Any]) -> Part:
    inner = call.get("function") if isinstance(call.get("function"), dict) else call
    assert isinstance(inner, dict)
    keys = ("arguments", "input", "args", "server_tool_call")
    arguments: Any = next((inner[key] for key in keys if inner.get(key) is not None), {})
    if isinstance(arguments, str):
        try:
            arguments = json.loads(arguments)
        except (ValueError, RecursionError):
            return Part("call", arguments, str(inner.get("name", "tool")))
    return Part("call", _short(arguments), str(inner.get("name", "tool")))


def _media(item: dict[str, Any], kind: str) -> str:
    url = next((item[key] for key in _MEDIA_KEYS if item.get(key)), "")
    if isinstance(url, dict):
        keys = ("url", "data", "file_data", "file_id", "fileUri", "media_type", "mimeType")
        url = next((url[key] for key in keys if url.get(key)), "")
    if not url and kind in ("blob", "file"):
        url = item.get("content") or ""
    text = readable(str(url))
    shown = text if len(text) <= 120 else f"{text[:60]}… ({len(text):,} characters)"
    return " ".join(str(word) for word in (item.get("mime_type"), shown) if word)


def _flat(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list) and (texts := [_text_of(item) for item in value]) and None not in texts:
        return "\n".join(str(text) for text in texts)
    return pretty(value)


def _text_of(item: Any) -> str | None:
    if not isinstance(item, dict):
        return None
    text = item["text"] if "text" in item else item.get("content") if item.get("type") in _TEXTS else None
    return text if isinstance(text, str) else None


def _short(value: Any) -> str:
    """JSON on one line when it is short enough for one."""
    line = json.dumps(value, ensure_ascii=False, default=str)
    return line if len(line) <= 100 else pretty(value)


def pretty(value: Any) -> str:
    """JSON text with two spaces of indent."""
    return json.dumps(value, ensure_ascii=False, indent=2, default=str)
