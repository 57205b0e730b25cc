"""Google Gemini generateContent; thought tokens are counted beside the candidates' ones."""

from __future__ import annotations

from typing import Any

from tests.corpus_recording.answers import EMBEDDING_SIZE, Answer, Question, Tool, Usage
from tests.corpus_recording.wire.openai_chat import text_of

Json = dict[str, Any]


def question(body: Json, model: str) -> Question:
    """What a generateContent request asks; the model's name comes from the address."""
    contents = body.get("contents", [])
    users = [text_of([p for p in c.get("parts", []) if "text" in p]) for c in contents if c.get("role") != "model"]
    parts = [part for content in contents for part in content.get("parts", [])]
    declared = [f for tool in body.get("tools") or [] for f in tool.get("functionDeclarations", [])]
    system = body.get("systemInstruction") or {}
    config = body.get("generationConfig") or {}
    return Question(
        model=model,
        system=text_of(system.get("parts")),
        user=next((text for text in reversed(users) if text), ""),
        has_tool_result=any("functionResponse" in part for part in parts),
        tools=[Tool(f["name"], f.get("parameters") or f.get("parametersJsonSchema") or {}) for f in declared],
        schema=config.get("responseSchema") or config.get("responseJsonSchema"),
    )


def usage_json(usage: Usage) -> Json:
    """The usageMetadata object."""
    return {
        "promptTokenCount": usage.input,
        "candidatesTokenCount": usage.output - usage.reasoning,
        "thoughtsTokenCount": usage.reasoning,
        "cachedContentTokenCount": usage.cached,
        "totalTokenCount": usage.total,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": usage.input}],
    }


def response(asked: Question, given: Answer, number: int) -> Json:
    """A whole generateContent response."""
    call = {"functionCall": {"name": given.tool, "args": dict(given.arguments)}}
    parts = [call] if given.tool else [{"text": given.text}]
    candidate = {"content": {"parts": parts, "role": "model"}, "finishReason": "STOP", "index": 0}
    return {
        "candidates": [candidate],
        "usageMetadata": usage_json(given.usage),
        "modelVersion": asked.model,
        "responseId": f"response-{number:06d}",
    }


def embeddings(body: Json) -> Json:
    """A batchEmbedContents response."""
    return {"embeddings": [{"values": [0.5] * EMBEDDING_SIZE} for _ in body.get("requests", [body])]}
