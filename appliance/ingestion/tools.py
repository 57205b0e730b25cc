"""Which tools a model was offered, and which it called (contract: server semantics 3.5, rule 10)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from appliance.ingestion.json_text import parse_or_keep, to_json, to_text
from appliance.ingestion.otel.unflatten import unflatten

_MAX_DEPTH: Final = 12
_MAX_TOOLS: Final = 1_000
_HINTS: Final = ("tool", "function", '"arguments"')
"""Words of which every form of a tool call has one."""
_DEFINITIONS: Final = (
    "gen_ai.tool.definitions",
    "gen_ai.request.tools",
    "ai.prompt.tools",
    "mlflow.chat.tools",
    "genkit:input.tools",
    "model_request_parameters",
    "tools",
)
_FUNCTIONS: Final = "llm.request.functions."
"""OpenLLMetry's older form: an attribute for each field of each tool."""
_LISTS: Final = ("function_tools", "output_tools", "function_declarations", "functionDeclarations")
"""Lists of definitions by Pydantic AI and by Google."""
_SCHEMAS: Final = ("parameters", "inputSchema", "input_schema", "parameters_json_schema", "parametersJsonSchema")
_JSON_SCHEMA: Final = ".tool.json_schema"
_NAMES: Final = ("name", "toolName")
_ARGUMENTS: Final = ("arguments", "args", "input")
_IDS: Final = ("id", "call_id", "toolCallId", "tool_call_id", "toolUseId", "ref")
_CALL_TYPES: Final = frozenset({"function", "tool_call", "tool_use", "tool-call", "function_call", "server_tool_use"})
_WRAPPERS: Final = ("function", "functionCall", "function_call", "toolUse", "toolRequest", "tool_call")


@dataclass(slots=True)
class ToolUse:
    """Tools as they are stored beside an observation."""

    definitions: dict[str, str] = field(default_factory=dict)
    """JSON object with `description` and `parameters` by name."""
    calls: list[str] = field(default_factory=list)
    """JSON objects with `id`, `name`, `arguments` (JSON text), `type` and `index`."""
    names: list[str] = field(default_factory=list)
    """Name of each call, in the same order."""


def tool_use(input: str, output: str, attributes: Mapping[str, Any] | None = None) -> ToolUse:
    """The tools offered in the input or the attributes of a call, and those called in its output (stored texts)."""
    use = ToolUse()
    for definition in _offered(input, attributes or {}):
        if len(use.definitions) < _MAX_TOOLS and (name := _first(definition, _NAMES)):
            schema = parse_or_keep(_first(definition, _SCHEMAS))
            described = {"description": definition.get("description") or "", "parameters": schema or {}}
            use.definitions.setdefault(str(name), to_json(described))
    if any(hint in output for hint in _HINTS):
        for call in _calls(parse_or_keep(output)):
            if len(use.calls) >= _MAX_TOOLS:
                break
            use.names.append(call["name"])
            use.calls.append(to_json(call | {"index": len(use.calls)}))
    return use


def _offered(input: str, attributes: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    flat: dict[str, Any] = {}
    for key, value in attributes.items():
        if key in _DEFINITIONS or key.endswith(_JSON_SCHEMA):
            yield from _definitions(value)
        elif key.startswith(_FUNCTIONS):
            flat[key[len(_FUNCTIONS) :]] = value
    if flat:
        yield from _definitions(unflatten(flat))
    if '"tools"' in input or '"parameters"' in input:
        parsed = parse_or_keep(input)
        if isinstance(parsed, dict):
            config = parsed.get("config")
            yield from _definitions(parsed.get("tools") or (config.get("tools") if isinstance(config, dict) else None))
        elif isinstance(parsed, list):
            # Langfuse's handler for LangChain appends the tools to the messages.
            tool_messages = [
                message for message in parsed if isinstance(message, dict) and message.get("role") == "tool"
            ]
            contents = [message.get("content") for message in tool_messages]
            yield from _definitions([each for each in contents if isinstance(each, dict) and "function" in each])


def _definitions(value: Any) -> Iterator[dict[str, Any]]:
    parsed = parse_or_keep(value)
    for item in parsed if isinstance(parsed, list) else [parsed]:
        definition = parse_or_keep(item)
        if not isinstance(definition, dict):
            continue
        listed = [definition[key] for key in _LISTS if isinstance(definition.get(key), list)]
        if listed:
            yield from (each for several in listed for each in several if isinstance(each, dict))
            continue
        inner = definition.get("function")
        yield inner if isinstance(inner, dict) else definition


def _calls(value: Any, depth: int = 0) -> Iterator[dict[str, Any]]:
    """The calls anywhere within a value, in order."""
    if depth > _MAX_DEPTH:
        return
    if isinstance(value, list):
        for item in value:
            yield from _calls(item, depth + 1)
    elif isinstance(value, dict):
        call = _call_of(value)
        if call is not None:
            yield call
            return
        seen: set[tuple[str, str]] = set()
        # Some providers repeat in the answer which tools were offered.
        for item in (item for key, item in value.items() if key != "tools"):
            for inner in _calls(item, depth + 1):
                # Some messages hold each call twice, as content and in a list of calls.
                mark = (inner["id"], inner["name"]) if inner["id"] else (to_json(inner), "")
                if mark not in seen:
                    seen.add(mark)
                    yield inner


def _call_of(value: dict[str, Any]) -> dict[str, Any] | None:
    """The call that an object stands for, in the shape of any provider; None when it is something else."""
    wrapper = next((key for key in _WRAPPERS if isinstance(value.get(key), dict)), None)
    inner = value[wrapper] if wrapper else value
    name = _first(inner, _NAMES)
    is_call = wrapper is not None or value.get("type") in _CALL_TYPES or "toolCallId" in value
    is_call = is_call or ("id" in value and "arguments" in value)
    arguments = [inner[key] for key in _ARGUMENTS if key in inner]
    if not is_call or not isinstance(name, str) or not arguments or "result" in value:
        return None
    id = _first(value, _IDS) or _first(inner, _IDS) or ""
    return {"id": str(id), "name": name, "arguments": to_text(arguments[0]), "type": "function"}


def _first(value: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    return next((value[name] for name in names if value.get(name)), None)
