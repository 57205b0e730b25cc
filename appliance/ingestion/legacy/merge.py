"""Merges the patches of one entity with its stored row into the row that replaces it (server semantics 3.5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from appliance.ingestion.enrich import enrich_costs
from appliance.ingestion.json_text import parse_object, to_json, to_text
from appliance.ingestion.legacy.aggregate import State, StoredEvent, aggregate, place_of
from appliance.ingestion.otel.observation import MAX_PROMPT_VERSION, set_tools
from appliance.ingestion.token_usage import legacy_usage, normalise_usage
from appliance.model.environments import DEFAULT, normalise_environment
from appliance.model.observations import OBSERVATION_TYPES, Observation
from appliance.model.patches import PatchSet
from appliance.model.pricing import Pricing
from appliance.model.score_configs import ScoreConfig, category_value, score_fault
from appliance.model.scores import Score
from appliance.model.times import parse_iso
from appliance.model.usage import normalise_costs, whole_number

_MINUTE: Final = 60_000_000
_MARGIN: Final = 60 * _MINUTE
OBSERVATION_IMMUTABLE: Final = frozenset({"id", "traceId", "environment", "startTime"})
SCORE_IMMUTABLE: Final = frozenset({"id", "traceId", "environment"})

OBSERVATION_TEXTS: Final = {
    "name": "name",
    "statusMessage": "status_message",
    "parentObservationId": "parent_id",
    "version": "version",
    "model": "model",
    "level": "level",
}
SCORE_TEXTS: Final = {
    "traceId": "trace_id",
    "observationId": "observation_id",
    "sessionId": "session_id",
    "datasetRunId": "dataset_run_id",
    "executionTraceId": "execution_trace_id",
    "comment": "comment",
    "configId": "config_id",
    "queueId": "queue_id",
}

_stored_event: Final = msgspec.json.Decoder(StoredEvent)


def keyed_events_of(patches: PatchSet) -> list[tuple[bytes, StoredEvent]]:
    """The events of an entity with their keys, in the order in which they apply."""
    keyed = [(key, _stored_event.decode(body)) for key, body in patches.patches.items()]
    return sorted(keyed, key=lambda pair: (place_of(pair[1]), pair[0]))


def began_after(events: Sequence[StoredEvent]) -> int | None:
    """The earliest time that a stored row can begin, when a creation has a start; None without one.

    The margin allows for earlier creations with a somewhat earlier start.
    """
    starts = [parse_iso(event.body.get("startTime")) for event in events if event.is_creation]
    known = [start for start in starts if start is not None]
    return max(min(known) - _MARGIN, 0) if known else None


def merge_observation(
    patches: PatchSet, events: Sequence[StoredEvent], base: Observation | None, pricing: Pricing
) -> list[Observation]:
    """The complete row, preceded by deletions of rows that a worker with fewer patches may have written elsewhere.

    `base` is the stored row: patches expire, so that even a creation among them may not be the first.
    Rows replace each other only within one minute and one trace, and a worker that saw only an update had to assume
    when the observation began.
    """
    project_id, _, entity_id = patches.key
    state = aggregate(_state_of(base), map(measured, events), OBSERVATION_IMMUTABLE)
    assumed = min(event.time for event in events)
    row = Observation(
        project_id=project_id,
        trace_id=str(state.get("traceId") or ""),
        id=entity_id,
        start_time=parse_iso(state.get("startTime")) or (min(base.start_time, assumed) if base else assumed),
        event_ts=patches.version_us,
        created_at=base.created_at if base else min(event.accepted_at for event in events),
        updated_at=patches.version_us,
        type=_type_of(events, base),
        source="api",
        environment=normalise_environment(state.get("environment")),
    )
    _fill_observation(row, state, base)
    if row.type == "GENERATION":
        set_tools(row)
    provider = row.metadata.get("ls_provider")  # of LangChain
    enrich_costs(row, pricing, state.get("usageDetails") or {}, provider=provider)
    return [*_taken_away(row, patches, events, base), row]


def _fill_observation(row: Observation, state: State, base: Observation | None) -> None:
    for sent, field in OBSERVATION_TEXTS.items():
        setattr(row, field, _plain_text(state.get(sent)))
    if row.parent_id in (row.id, row.trace_id):  # some programs send this for no parent
        row.parent_id = ""
    row.level = row.level or "DEFAULT"
    row.is_root = not row.parent_id
    ends = parse_iso(state.get("endTime")) or (base.end_time if base and "endTime" not in state else None)
    row.end_time = None if ends is None else max(ends, row.start_time)
    completion = base.completion_start_time if base and "completionStartTime" not in state else None
    row.completion_start_time = parse_iso(state.get("completionStartTime")) or completion
    row.input = _text(state.get("input"))
    row.output = _text(state.get("output"))
    row.metadata = {key: to_text(value) for key, value in (state.get("metadata") or {}).items()}
    parameters = _object(state.get("modelParameters"))
    row.model_parameters = to_json(parameters) if parameters else ""
    prompt_version = whole_number(state.get("promptVersion")) or 0
    if state.get("promptName") and 0 < prompt_version <= MAX_PROMPT_VERSION:
        row.prompt_name, row.prompt_version = _plain_text(state["promptName"]), prompt_version
        if base and (base.prompt_name, base.prompt_version) == (row.prompt_name, row.prompt_version):
            row.prompt_id = base.prompt_id  # stays, even when the prompt has been deleted since
    row.provided_cost_details = state.get("costDetails") or {}


def measured(event: StoredEvent) -> StoredEvent:
    """The event with its usage and costs in one object each, as stored: those are replaced as a whole.

    They are empty when the event has none, and then erase nothing.
    """
    body = event.body
    usage, costs = legacy_usage(_object(body.get("usage")))
    details = normalise_usage(_object(body.get("usageDetails")))
    if usage and not details and "total" not in usage:
        usage["total"] = sum(usage.values())
    if not _SIDES.isdisjoint(details):
        usage = {key: units for key, units in usage.items() if key == "total"}
    costs |= normalise_costs(_object(body.get("costDetails")))
    return msgspec.structs.replace(event, body={**body, "usageDetails": {**usage, **details}, "costDetails": costs})


_SIDES: Final = frozenset({"prompt_tokens", "completion_tokens", "input_tokens", "output_tokens"})
"""Other names of the sides, which must not be stored beside those of the old field."""


def _type_of(events: Sequence[StoredEvent], base: Observation | None) -> str:
    """The type given at creation; that of an update only counts without a stored row."""
    for event in sorted(events, key=lambda event: not event.is_creation):
        kind = kind_of(event)
        if event.is_creation and kind in OBSERVATION_TYPES:
            return kind
        if base is None and kind in OBSERVATION_TYPES:
            return kind
    return base.type if base else "SPAN"


def kind_of(event: StoredEvent) -> str:
    """The type of observation that an event names, which may not exist."""
    sent = str(event.body.get("type") or "") if event.type.startswith("observation-") else ""
    return sent or event.type.rpartition("-")[0].upper()


def _taken_away(
    row: Observation, patches: PatchSet, events: Sequence[StoredEvent], base: Observation | None
) -> list[Observation]:
    places: set[tuple[str, int]] = set()
    if not patches.is_first:
        starts = {parse_iso(event.body.get("startTime")) or event.time for event in events}
        # A worker that saw only updates without a trace put its row under none.
        traces = {row.trace_id, *(str(event.body.get("traceId") or "") for event in events)}
        places = {(trace_id, start // _MINUTE) for trace_id in traces for start in starts}
    if base is not None:
        places.add((base.trace_id, base.start_time // _MINUTE))
    places.discard((row.trace_id, row.start_time // _MINUTE))
    return [
        Observation(
            project_id=row.project_id,
            trace_id=trace_id,
            id=row.id,
            start_time=minute * _MINUTE,
            event_ts=row.event_ts - 1,
            created_at=row.created_at,
            updated_at=row.updated_at,
            is_deleted=1,
        )
        for trace_id, minute in sorted(places)
    ]


def _state_of(base: Observation | None) -> State:
    """The stored row as a state; its times stay with the row."""
    if base is None:
        return {}
    state: State = {sent: getattr(base, field) for sent, field in OBSERVATION_TEXTS.items() if getattr(base, field)}
    # The default may stand for an environment that was not sent yet.
    state |= {"traceId": base.trace_id, "environment": "" if base.environment == DEFAULT else base.environment}
    texts = {"input": base.input, "output": base.output, "promptName": base.prompt_name}
    state |= {key: value for key, value in texts.items() if value}
    maps: dict[str, Any] = {
        "metadata": {key: _object_or_text(text) for key, text in base.metadata.items()},
        "modelParameters": parse_object(base.model_parameters),
        "promptVersion": base.prompt_version,
        "usageDetails": base.provided_usage_details,
        "costDetails": base.provided_cost_details,
    }
    return state | {key: value for key, value in maps.items() if value}


def merge_score(
    patches: PatchSet, events: Sequence[StoredEvent], base: Score | None, configs: Mapping[str, ScoreConfig]
) -> Score | None:
    """The complete row of a score; its time is that of its first event.

    Events that break the rules of their config are left out (server semantics 3.5, rule 11); None when no other is
    left.
    """
    project_id, _, entity_id = patches.key
    events = [event for event in events if broken_rule(event, configs) is None]
    if not events:
        return None
    stored = {} if base is None else {sent: getattr(base, field) for sent, field in SCORE_TEXTS.items()}
    if base is not None:
        stored |= {"metadata": base.metadata, "environment": base.environment, "name": base.name, "source": base.source}
    state = aggregate({key: value for key, value in stored.items() if value}, events, SCORE_IMMUTABLE)
    first, last = events[0], events[-1]
    config = configs.get(str(state.get("configId") or ""))
    data_type, value, text, long_text = score_value(last.body.get("dataType"), last.body.get("value"), config)
    row = Score(
        project_id=project_id,
        id=entity_id,
        timestamp=base.timestamp if base else first.time,
        name="output" if data_type == "CORRECTION" else config.name if config else str(state.get("name") or ""),
        source=str(state.get("source") or "API"),
        data_type=data_type,
        value=value,
        string_value=text,
        long_string_value=long_text,
        environment=normalise_environment(state.get("environment")),
        metadata={key: to_text(item) for key, item in (state.get("metadata") or {}).items()},
        event_ts=patches.version_us,
        created_at=base.created_at if base else first.accepted_at,
        updated_at=patches.version_us,
    )
    for sent, field in SCORE_TEXTS.items():
        setattr(row, field, str(state.get(sent) or ""))
    return row


def broken_rule(event: StoredEvent, configs: Mapping[str, ScoreConfig]) -> str | None:
    """The rule of its config that the event of a score breaks; None when it breaks none."""
    config_id = event.body.get("configId")
    if not config_id:
        return None
    return score_fault(configs.get(config_id), event.body.get("dataType"), event.body.get("value"))


def score_value(data_type: str | None, value: Any, config: ScoreConfig | None = None) -> tuple[str, float, str, str]:
    """The stored data type, number, text and long text of a score; without a type, config or value decide it."""
    kind = data_type or (config.data_type if config else "CATEGORICAL" if isinstance(value, str) else "NUMERIC")
    if config is not None and kind == "CATEGORICAL":
        return kind, category_value(config, value) or 0.0, value, ""
    if kind == "BOOLEAN":
        return kind, float(bool(value)), "True" if value else "False", ""
    if kind == "NUMERIC":
        return kind, float(value), "", ""
    return (kind, 0.0, "", str(value)) if kind == "CORRECTION" else (kind, 0.0, str(value), "")


def _object(value: Any) -> dict[str, Any]:
    """An object, empty for anything else: an event may have fields of other types, which are not validated."""
    return value if isinstance(value, dict) else {}


def _plain_text(value: Any) -> str:
    return to_text(value) if value else ""


def _text(value: Any) -> str:
    return "" if value is None else to_text(value)


def _object_or_text(text: str) -> Any:
    """Stored metadata as a value that newer metadata can be merged into."""
    return (parse_object(text) if text[:1] == "{" else None) or text
