"""Events of the ingestion API: their validation and normal form (contract: server semantics 3.2).

An accepted event stays the object that was sent, because a field that is null and a field that is missing mean
different things later; validation only refuses, and fills in ids and the environment.
"""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import UNSET, Meta

from appliance import issues
from appliance.errors import InvalidData
from appliance.ingestion.scores import ScoreBody
from appliance.issues import BrokenRule
from appliance.model.environments import normalise_environment
from appliance.model.ids import canonical_id
from appliance.schema_issues import issues_of

Text = str | None
Time = Annotated[datetime, Meta(tz=True)]
EventId = Annotated[str, Meta(min_length=1, max_length=800, pattern=r"^[^\r]*$")]

_STEP_TYPES: Final = ("generation", "agent", "tool", "chain", "retriever", "evaluator", "embedding", "guardrail")


class Envelope(msgspec.Struct, rename="camel"):
    """The envelope of every event."""

    id: EventId
    timestamp: Time
    type: str
    body: Any = None


class TraceBody(msgspec.Struct, rename="camel"):
    """Body of `trace-create`."""

    id: Text = None
    timestamp: Time | None = None
    name: Annotated[str, Meta(max_length=1000)] | None = None
    session_id: Text = None
    user_id: Text = None
    release: Text = None
    version: Text = None
    public: bool | None = None
    tags: list[str] | None = None


class _Step(msgspec.Struct, kw_only=True, rename="camel"):
    trace_id: Text = None
    name: Text = None
    start_time: Time | None = None
    level: Literal["DEBUG", "DEFAULT", "WARNING", "ERROR"] | None = None
    status_message: Text = None
    parent_observation_id: Text = None
    version: Text = None


class EventBody(_Step, kw_only=True):
    """Body of `event-create`."""

    id: EventId


class SpanBody(EventBody, kw_only=True):
    """Body of `span-create` and `span-update`."""

    end_time: Time | None = None


class _Generation(_Step, kw_only=True):
    end_time: Time | None = None
    completion_start_time: Time | None = None
    model: Text = None
    model_parameters: dict[str, Any] | None = None
    usage: dict[str, Any] | None = None
    usage_details: dict[str, Any] | None = None
    cost_details: dict[str, Any] | None = None
    prompt_name: Text = None
    prompt_version: int | float | None = None

    def __post_init__(self) -> None:
        if (self.prompt_name is None) != (self.prompt_version is None):
            raise BrokenRule(issues.custom((), "promptName and promptVersion must be given together"))
        if isinstance(self.prompt_version, float) and not self.prompt_version.is_integer():
            raise BrokenRule(issues.no_integer(("promptVersion",)))


class GenerationBody(_Generation, kw_only=True):
    """Body of `generation-create`, `generation-update` and the creation of the newer step types."""

    id: EventId


class ObservationBody(_Generation, kw_only=True):
    """Body of the old `observation-create` and `observation-update`."""

    id: Text = None
    type: Literal["GENERATION", "SPAN", "EVENT"]


class _SdkLog(msgspec.Struct, rename="camel"):
    log: Any = None


BODIES: Final[dict[str, type[msgspec.Struct]]] = {
    "trace-create": TraceBody,
    "score-create": ScoreBody,
    "event-create": EventBody,
    "span-create": SpanBody,
    "span-update": SpanBody,
    "generation-update": GenerationBody,
    **{f"{name}-create": GenerationBody for name in _STEP_TYPES},
    "observation-create": ObservationBody,
    "observation-update": ObservationBody,
    "sdk-log": _SdkLog,
}


_IDS: Final = ("id", "traceId", "parentObservationId")
_SCORE_IDS: Final = ("traceId", "observationId", "executionTraceId")


def accepted_event(event: Any) -> dict[str, Any]:
    """The normal form of a valid event: `id`, `timestamp`, `type` and `body` as sent, ids and environment filled in.

    Raises InvalidData, its paths counted from the event.
    """
    try:
        envelope = msgspec.convert(event, Envelope)
    except msgspec.ValidationError as error:
        raise InvalidData(issues_of(event, [Envelope], error)) from None
    body_type = BODIES.get(envelope.type)
    if body_type is None:
        raise InvalidData([issues.no_discriminator((), "type")])
    try:
        msgspec.convert(envelope.body, body_type)
    except msgspec.ValidationError as error:
        raise InvalidData(issues_of(event.get("body", UNSET), [body_type], error, ("body",))) from None
    body = normal_body(envelope.type, envelope.body)
    return {"id": event["id"], "timestamp": event["timestamp"], "type": envelope.type, "body": body}


def normal_body(event_type: str, body: dict[str, Any]) -> dict[str, Any]:
    """The body with an id, with a trace for observations that name none, and with a valid environment.

    Ids of OpenTelemetry have small letters, like those that spans come with.
    """
    body = dict(body)
    if event_type == "sdk-log":
        return body
    body["id"] = body.get("id") or str(uuid.uuid4())
    for name in _SCORE_IDS if event_type == "score-create" else _IDS:
        if isinstance(sent := body.get(name), str):
            body[name] = canonical_id(sent)
    is_observation = event_type not in ("trace-create", "score-create")
    if is_observation and is_creation(event_type) and not body.get("traceId"):
        body["traceId"] = str(uuid.uuid4())
    if "environment" in body:
        sent = body["environment"]
        body["environment"] = normalise_environment(sent if isinstance(sent, str) else None)
    return body


def is_creation(event_type: str) -> bool:
    """Whether events of this type create an entity rather than change it."""
    return event_type.endswith("-create")
