"""Finds the chat messages in an input or output, whichever provider's form it has; pure."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Literal

from appliance.model.media import readable

_MEDIA_KEYS = ("image_url", "url", "source", "inlineData", "input_audio", "image", "file", "data")

Kind = Literal["text", "thinking", "call", "result", "media", "json"]


@dataclass(frozen=True, slots=True)
class Part:
    """One piece of a message: text, a tool call or its result, a picture, or something else as JSON."""

    kind: Kind
    text: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a chat."""

    role: str
    parts: list[Part] = field(default_factory=list)


def parse_messages(value: Any) -> list[Message] | None:
    """The messages in a value, or None when it is not a chat."""
    if isinstance(value, list):
        found = [_message(item) for item in value if isinstance(item, dict)]
        messages = [message for message in found if message is not None]
        return messages if messages and len(messages) == len(value) else None
    if not isinstance(value, dict):
        return None
    for key in ("messages", "contents"):
        if isinstance(value.get(key), list) and (inner := parse_messages(value[key])):
            return _with_system(value, inner)
    if choices := value.get("choices"):
        picked = [choice.get("message") for choice in choices if isinstance(choice, dict)]
        return parse_messages([choice for choice in picked if choice])
    one = _message(value)
    return [one] if one else None


def _with_system(value: dict[str, Any], messages: list[Message]) -> list[Message]:
    system = value.get("system") or value.get("systemInstruction")
    return [Message("system", _parts(system)), *messages] if system else messages


def _message(item: dict[str, Any]) -> Message | None:
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
    if kind in ("thinking", "reasoning"):
        return [Part("thinking", str(item.get("thinking") or item.get("text") or item.get("content") or ""))]
    if isinstance(item.get("text"), str):
        return [Part("text", readable(item["text"]))]
    if kind in ("tool_use", "tool_call", "function_call") or "functionCall" in item:
        return [_call(item.get("functionCall") or item)]
    if kind in ("tool_result", "tool_call_response", "function_call_output") or "functionResponse" in item:
        inner = item.get("functionResponse") or item
        result = inner.get("content", inner.get("output", inner.get("result", inner.get("response"))))
        return [Part("result", _flat(result), str(inner.get("name") or inner.get("tool_use_id") or ""))]
    if (
        kind in ("image_url", "image", "input_image", "input_audio", "audio", "file", "document")
        or "inlineData" in item
    ):
        return [Part("media", _media(item), kind or "media")]
    return [Part("json", pretty(item))]


def _call(call: dict[str, Any]) -> Part:
    inner = call.get("function") if isinstance(call.get("function"), dict) else call
    assert isinstance(inner, dict)
    arguments = inner.get("arguments", inner.get("input", inner.get("args", {})))
    if isinstance(arguments, str):
        try:
            arguments = json.loads(arguments)
        except (ValueError, RecursionError):
            return Part("call", arguments, str(inner.get("name", "tool")))
    return Part("call", _short(arguments), str(inner.get("name", "tool")))


def _media(item: dict[str, Any]) -> str:
    url = next((item[key] for key in _MEDIA_KEYS if item.get(key)), "")
    if isinstance(url, dict):
        url = url.get("url") or url.get("data") or url.get("file_data") or url.get("media_type") or ""
    text = readable(str(url))
    return text if len(text) <= 120 else f"{text[:60]}… ({len(text):,} characters)"


def _flat(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(item, dict) and isinstance(item.get("text"), str) for item in value):
        return "\n".join(item["text"] for item in value)
    return pretty(value)


def _short(value: Any) -> str:
    """JSON on one line when it is short enough for one."""
    line = json.dumps(value, ensure_ascii=False, default=str)
    return line if len(line) <= 100 else pretty(value)


def pretty(value: Any) -> str:
    """JSON text with two spaces of indent."""
    return json.dumps(value, ensure_ascii=False, indent=2, default=str)
