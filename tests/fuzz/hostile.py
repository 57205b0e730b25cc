"""Values and payloads that no program should send, as strategies of hypothesis."""

from __future__ import annotations

import ast
import base64
import math
import re
from pathlib import Path
from typing import Any, Final

import msgspec
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue

import appliance.ingestion.otel
from appliance.ingestion.legacy.events import BODIES

_KEY = re.compile(r"[A-Za-z_][\w-]*(?:[.:][\w.:-]*)+")
_PLAIN_KEYS: Final = (
    "model",
    "prompt",
    "input",
    "output",
    "events",
    "final_result",
    "tool_arguments",
    "model_config",
    "",
)


def own_keys() -> list[str]:
    """Every attribute that a mapper names in its source, and what stands below its prefixes."""
    folder = Path(str(appliance.ingestion.otel.__file__)).parent
    found: set[str] = set(_PLAIN_KEYS)
    for file in folder.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and _KEY.fullmatch(node.value):
                found.add(node.value)
    for prefix in [key for key in found if key.endswith((".", ":"))]:
        found |= {
            f"{prefix}{rest}"
            for rest in ("x", "0.message.role", "0.role", "0.content", "99999999999.a", "0", "-1.b", "\u00b2.a")
        }
    return sorted(found)


KEYS: Final = own_keys()
TEXTS: Final = (
    "",
    " ",
    "null",
    "true",
    "0",
    "-1",
    "NaN",
    "1e999",
    "9" * 400,
    "9" * 5000,
    "\u00b2",
    "{}",
    "[]",
    '""',
    '"x"',
    "[[[",
    '{"a":',
    "\0",
    "a\0b",
    "\ud7ff",
    "\uffff",
    "0000-00-00",
    "0001-01-01T00:00:00Z",
    "9999999-01-01T00:00:00Z",
    "9999-12-31T23:59:59.999999Z",
    "2024-02-30T00:00:00+99:99",
    "-",
    "user",
    "assistant",
    '[{"role":"user","content":[{"type":"text","text":null}]}]',
    '[null,1,[],{"role":null,"parts":3}]',
    '{"role":[],"content":{}}',
    '{"input":-1,"output":1e308,"total":"9999999999999999999999"}',
    '{"input_tokens":{"a":1}}',
    '{"name":"x","version":"y"}',
    '[{"tool_calls":[{"function":7}]}]',
    '{"usage":{"inputTokens":[]}}',
    '{"input":NaN}',
    '{"\\ud83d":1}',
    '{"":{"":{"":null}}}',
    "data:image/png;base64,AAAA",
    "data:;base64,",
    "@@@langfuseMedia:type=|id=|source=@@@",
    "generation",
    "chat",
    "LLM",
    "tool",
)
# no surrogates: neither protobuf nor JSON can carry them to us undamaged
LARGE: Final = {
    "foxes": "🦊" * 50,
    "long": "x" * 70_000,
    "deep list": "[" * 3000 + "]" * 3000,
    "deep object": '{"a":' * 1500 + "1" + "}" * 1500,
}
_characters: st.SearchStrategy[str] = st.characters(exclude_categories=["Cs"])
texts = (
    st.sampled_from(TEXTS)
    | st.sampled_from(sorted(LARGE)).map(lambda name: LARGE[name])
    | st.text(_characters, max_size=20)
)
keys = st.sampled_from(KEYS) | texts
numbers = st.sampled_from((0, -1, 1, 2**31, 2**53 + 1, 2**63 - 1, -(2**63))) | st.integers(-(2**63), 2**63 - 1)
doubles = st.sampled_from((math.nan, math.inf, -math.inf, 1e308, -0.0, 5e-324)) | st.floats()
moments = st.sampled_from((0, 1, 999, 10**18, 2**63, 2**64 - 1, 253402300799 * 10**6)) | st.integers(0, 2**64 - 1)
ids = st.binary(max_size=40) | st.sampled_from((b"", b"\0" * 16, b"t" * 16, b"x" * 300))
json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | numbers | texts | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=8,
)


def _list_of(inner: list[AnyValue]) -> AnyValue:
    value = AnyValue()
    value.array_value.values.extend(inner)
    return value


def _object_of(inner: list[tuple[str, AnyValue]]) -> AnyValue:
    value = AnyValue()
    value.kvlist_value.SetInParent()
    for key, one in inner:
        value.kvlist_value.values.add(key=key).value.CopyFrom(one)
    return value


any_values: st.SearchStrategy[AnyValue] = st.recursive(
    st.builds(lambda text: AnyValue(string_value=text), texts)
    | st.builds(lambda number: AnyValue(int_value=number), numbers)
    | st.builds(lambda number: AnyValue(double_value=number), doubles)
    | st.builds(lambda flag: AnyValue(bool_value=flag), st.booleans())
    | st.builds(lambda content: AnyValue(bytes_value=content), st.binary(max_size=20))
    | st.builds(lambda value: AnyValue(string_value=msgspec.json.encode(value).decode()), json_values)
    | st.just(AnyValue()),
    lambda inner: (
        st.lists(inner, max_size=3).map(_list_of) | st.lists(st.tuples(keys, inner), max_size=3).map(_object_of)
    ),
    max_leaves=6,
)
pairs = st.lists(st.tuples(keys, any_values), max_size=8)
scopes = st.sampled_from(
    (
        "langfuse-sdk",
        "ai",
        "genkit-tracer",
        "livekit-agents",
        "pydantic-ai",
        "gcp.vertex.agent",
        "@flue/opentelemetry",
        "openinference",
        "",
    )
)


@st.composite
def exports(draw: st.DrawFn) -> ExportTraceServiceRequest:
    """A protobuf export with anything in it that protobuf can carry."""
    request = ExportTraceServiceRequest()
    for _ in range(draw(st.integers(1, 2))):
        group = request.resource_spans.add()
        _fill(group.resource.attributes, draw(pairs))
        part = group.scope_spans.add()
        part.scope.name, part.scope.version = draw(scopes | texts), draw(texts)
        _fill(part.scope.attributes, draw(pairs))
        for _ in range(draw(st.integers(1, 3))):
            span = part.spans.add(name=draw(texts), kind=draw(st.integers(0, 5)))
            span.trace_id, span.span_id, span.parent_span_id = draw(ids), draw(ids), draw(ids)
            span.start_time_unix_nano, span.end_time_unix_nano = draw(moments), draw(moments)
            _fill(span.attributes, draw(pairs))
            span.status.message = draw(texts)
            event = span.events.add(name=draw(keys), time_unix_nano=draw(moments))
            _fill(event.attributes, draw(pairs))
    return request


def _fill(target: Any, attributes: list[tuple[str, AnyValue]]) -> None:
    for key, value in attributes:
        target.add(key=key).value.CopyFrom(value)


_json_any = st.recursive(
    json_values
    | st.fixed_dictionaries({"stringValue": json_values})
    | st.fixed_dictionaries({"intValue": json_values})
    | st.fixed_dictionaries({"doubleValue": json_values | st.sampled_from(("NaN", "Infinity", "x"))})
    | st.fixed_dictionaries({"bytesValue": json_values}),
    lambda inner: (
        st.fixed_dictionaries({"arrayValue": st.fixed_dictionaries({"values": st.lists(inner, max_size=3)})})
        | st.fixed_dictionaries(
            {
                "kvlistValue": st.fixed_dictionaries(
                    {"values": st.lists(st.fixed_dictionaries({"key": keys, "value": inner}), max_size=3)}
                )
            }
        )
    ),
    max_leaves=4,
)
_json_pairs = st.lists(st.fixed_dictionaries({"key": keys | json_values, "value": _json_any}) | json_values, max_size=5)
_json_span = st.fixed_dictionaries(
    {"traceId": texts, "spanId": texts},
    optional={
        "parentSpanId": json_values,
        "name": json_values,
        "startTimeUnixNano": json_values | moments | moments.map(str),
        "endTimeUnixNano": json_values | st.fixed_dictionaries({"high": json_values, "low": json_values}),
        "attributes": _json_pairs,
        "events": st.lists(
            st.fixed_dictionaries(
                {}, optional={"name": json_values, "timeUnixNano": json_values, "attributes": _json_pairs | json_values}
            )
            | json_values,
            max_size=2,
        ),
        "links": json_values,
        "status": json_values | st.fixed_dictionaries({"code": json_values, "message": json_values}),
    },
)
json_exports: st.SearchStrategy[bytes] = st.fixed_dictionaries(
    {
        "resourceSpans": st.lists(
            st.fixed_dictionaries(
                {
                    "resource": json_values | st.fixed_dictionaries({"attributes": _json_pairs}),
                    "scopeSpans": st.lists(
                        st.fixed_dictionaries(
                            {
                                "scope": json_values
                                | st.fixed_dictionaries({"name": scopes | json_values, "version": json_values}),
                                "spans": st.lists(_json_span, max_size=2),
                            }
                        ),
                        max_size=2,
                    ),
                }
            ),
            min_size=1,
            max_size=2,
        )
    }
).map(lambda export: enlarged(msgspec.json.encode(export)))


def enlarged(content: bytes) -> bytes:
    """JSON with integers beyond all bounds, which no writer of ours would make."""
    return content.replace(b"9223372036854775807", b"9" * 400).replace(b"2147483648", b"1e400")


BODY_FIELDS: Final = sorted(
    {field.encode_name for body in BODIES.values() for field in msgspec.structs.fields(body)}
    | {
        "metadata",
        "input",
        "output",
        "usage",
        "usageDetails",
        "costDetails",
        "modelParameters",
        "environment",
        "tags",
        "endTime",
    }
)
_times = st.sampled_from(
    (
        "2024-01-01T00:00:00Z",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59.999Z",
        "2024-01-01T00:00:00+14:00",
        "0001-01-01T00:00:00+14:00",
    )
)
bodies = st.dictionaries(st.sampled_from(BODY_FIELDS), json_values | _times, max_size=8).flatmap(
    lambda body: st.tuples(texts, texts).map(
        lambda names: {"id": names[0] or None, "traceId": names[1] or None, "name": "n"} | body
    )
)
events = st.fixed_dictionaries(
    {"id": texts.filter(bool), "timestamp": _times, "type": st.sampled_from(sorted(BODIES)), "body": bodies}
)


def encoded(content: bytes) -> str:
    """Bytes as they are shown when a check fails outside of hypothesis."""
    return base64.b64encode(content).decode()
