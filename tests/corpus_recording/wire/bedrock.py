"""Amazon Bedrock's Converse API, not streamed."""

from __future__ import annotations

from typing import Any

from tests.corpus_recording.answers import Answer, Question, Tool
from tests.corpus_recording.wire.openai_chat import text_of

Json = dict[str, Any]


def question(body: Json, model: str) -> Question:
    """What a Converse request asks; the model's id comes from the address."""
    messages = body.get("messages", [])
    users = [text_of([b for b in m["content"] if "text" in b]) for m in messages if m.get("role") == "user"]
    blocks = [block for message in messages for block in message["content"]]
    specs = [tool["toolSpec"] for tool in (body.get("toolConfig") or {}).get("tools", []) if "toolSpec" in tool]
    return Question(
        model=model,
        system=text_of(body.get("system")),
        user=next((text for text in reversed(users) if text), ""),
        has_tool_result=any("toolResult" in block for block in blocks),
        tools=[Tool(spec["name"], spec["inputSchema"]["json"]) for spec in specs],
    )


def response(given: Answer, number: int) -> Json:
    """A whole Converse response."""
    usage = given.usage
    call = {"toolUse": {"toolUseId": f"tooluse_{number:06d}", "name": given.tool, "input": dict(given.arguments)}}
    content = [call] if given.tool else [{"text": given.text}]
    return {
        "output": {"message": {"role": "assistant", "content": content}},
        "stopReason": "tool_use" if given.tool else "end_turn",
        "usage": {
            "inputTokens": usage.input - usage.cached,
            "outputTokens": usage.output,
            "totalTokens": usage.total,
            "cacheReadInputTokens": usage.cached,
            "cacheWriteInputTokens": 0,
        },
        "metrics": {"latencyMs": 5},
    }
