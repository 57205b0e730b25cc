"""What the fake provider answers: one small script that every recorded program follows, whatever its wire format."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

POPULATION = 2_102_650
CITY = "Paris"
LOOKUP_TOOL = "get_population"
FINAL_TOOL = "final_answer"
"""The tool by which some agents hand in their answer."""

FINAL_TEXT = f"Paris has {POPULATION} inhabitants."
JOKE = "Why did the span cross the trace? To reach its parent."
GREETING = "Nice to meet you, Ada."
EMBEDDING_SIZE = 4
"""Length of the vectors that the embedding endpoints return."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens billed for one call; input holds the cached and cache-written ones, output the reasoning ones."""

    input: int
    output: int
    cached: int = 0
    cache_written: int = 0
    reasoning: int = 0

    @property
    def total(self) -> int:
        return self.input + self.output


@dataclass(frozen=True, slots=True)
class Tool:
    """One tool that the request offers; parameters is its JSON schema."""

    name: str
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Question:
    """A request of any wire format, reduced to what decides the answer."""

    model: str
    system: str
    user: str
    has_tool_result: bool = False
    tools: Sequence[Tool] = ()
    forced_tool: str | None = None
    schema: Mapping[str, Any] | None = None
    writes_cache: bool = False
    """Whether the first call of a tool round is billed with tokens written to the prompt cache."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Text or one tool call, and what it costs; with `error` the request is refused with status 400."""

    usage: Usage
    text: str = ""
    tool: str | None = None
    arguments: Mapping[str, Any] = field(default_factory=dict)
    error: str | None = None

    @property
    def arguments_json(self) -> str:
        return json.dumps(self.arguments)

    @property
    def fragment(self) -> str:
        """A piece of text that any faithful record of this answer holds."""
        if self.tool:
            return self.tool
        if str(POPULATION) in self.text:
            return str(POPULATION)
        return self.text if len(self.text) < 30 else self.text[-20:-1]


LOOKUP_USAGE = Usage(input=100, output=20)
CACHING_USAGE = Usage(input=100, output=20, cache_written=10)
FINAL_USAGE = Usage(input=123, output=45, cached=23, reasoning=7)
JOKE_USAGE = Usage(input=31, output=12)
GREETING_USAGE = Usage(input=40, output=8)
EMBEDDING_USAGE = Usage(input=9, output=0)


def answer(question: Question) -> Answer:
    """The scripted answer to a question."""
    if "FAIL" in question.user:
        return Answer(Usage(0, 0), error="The fake provider refuses this prompt.")
    if question.schema is not None:
        return Answer(FINAL_USAGE, text=json.dumps(_fill(question.schema, question.schema)))
    chosen = _chosen_tool(question)
    if chosen is not None:
        first_usage = CACHING_USAGE if question.writes_cache else LOOKUP_USAGE
        is_last = question.has_tool_result or chosen.name == FINAL_TOOL
        usage = FINAL_USAGE if is_last else first_usage
        return Answer(usage, tool=chosen.name, arguments=_fill(chosen.parameters, chosen.parameters))
    return _text_answer(question)


def _chosen_tool(question: Question) -> Tool | None:
    by_name = {tool.name: tool for tool in question.tools}
    if question.forced_tool:
        return by_name.get(question.forced_tool)
    lookups = [tool for tool in question.tools if LOOKUP_TOOL in tool.name]
    if lookups and not question.has_tool_result and "population" in question.user.lower():
        return lookups[0]
    return by_name.get(FINAL_TOOL)


def _text_answer(question: Question) -> Answer:
    prompt = question.user.lower()
    if question.has_tool_result or "population" in prompt:
        text, usage = FINAL_TEXT, FINAL_USAGE
    elif "joke" in prompt:
        text, usage = JOKE, JOKE_USAGE
    else:
        text, usage = GREETING, GREETING_USAGE
    return Answer(usage, text=_in_expected_form(text, question))


def _in_expected_form(text: str, question: Question) -> str:
    """Wraps the text the way the framework's prompt asks for, so that its parser accepts it."""
    prompts = question.system + question.user
    if "[[ ## " in prompts:
        return f"[[ ## answer ## ]]\n{text}\n\n[[ ## completed ## ]]"
    if "Final Answer:" in prompts:
        return f"Thought: I now know the final answer\nFinal Answer: {text}"
    return text


def _fill(schema: Mapping[str, Any], root: Mapping[str, Any]) -> dict[str, Any]:
    properties = schema.get("properties") or {"city": {"type": "string"}}
    return {name: _value(name, part, root) for name, part in properties.items()}


def _value(name: str, schema: Mapping[str, Any], root: Mapping[str, Any]) -> Any:
    if "$ref" in schema:
        target: Any = root
        for step in str(schema["$ref"]).removeprefix("#/").split("/"):
            target = target[step]
        return _value(name, target, root)
    if "anyOf" in schema:
        return _value(name, schema["anyOf"][0], root)
    kind = str(schema.get("type", "string")).lower()
    if kind in ("integer", "number"):
        return POPULATION
    if kind == "boolean":
        return True
    if kind == "array":
        return [_value(name, schema.get("items", {}), root)]
    if kind == "object":
        return _fill(schema, root)
    if schema.get("enum"):
        return schema["enum"][0]
    return FINAL_TEXT if name == "answer" else CITY
