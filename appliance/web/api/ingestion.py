"""The batch ingestion API and the old endpoints for single objects (contract: server semantics 3.1)."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from appliance import issues
from appliance.api_types.ingestion import BatchOutcome, CreatedObject, EventAccepted, EventRefused, IngestionBatch
from appliance.errors import InvalidData, PayloadTooLarge
from appliance.ingestion.legacy.events import accepted_event
from appliance.issues import Issue
from appliance.model.queue import Entry
from appliance.model.times import parse_time
from appliance.web.auth import Access, Auth, authorize
from appliance.web.bodies import decode, off_loop, read_json, read_json_text, refusal
from appliance.web.memory_budget import charge_of
from appliance.web.responses import iso_micros, json_response
from appliance.web.sdk import sdk_of
from appliance.web.state import context_of

log = logging.getLogger(__name__)

_MOST_EVENTS = 100_000
_ANSWER_BYTES = 1000
"""Bytes of the answer to one event, with the objects that it is built from."""
_ISSUE_CHARS = 4_000_000
"""Of the issues of all events; once they are used up, an event is refused with its first issue only."""

_SCORES_ONLY_TYPES = ("score-create", "sdk-log")

Event = dict[str, Any]


async def ingest_batch(request: Request) -> Response:
    """Accept a batch: always 207 with the outcome of each event, once the valid ones are stored durably."""
    auth = await authorize(request, allow_scores_only=True)
    content = await read_json_text(request)
    try:
        batch = decode(content, IngestionBatch)
    except msgspec.ValidationError as error:
        refused = refusal(content, [IngestionBatch], error)
        return json_response({"message": refused.message, "errors": [issue.message for issue in refused.issues]}, 400)
    if len(batch.batch) > _MOST_EVENTS:
        raise PayloadTooLarge(f"The batch holds more than {_MOST_EVENTS} events.")
    charge_of(request.scope).take(_ANSWER_BYTES * len(batch.batch) + len(content))  # the stored body is as long again
    size = max(len(content), _ANSWER_BYTES * len(batch.batch))  # many small events take long, too
    accepted, errors = await off_loop(size, sort_out, batch.batch, auth.access)
    stored = [event for event in accepted if event["type"] != "sdk-log"]
    await store_events(request, auth, stored, batch.metadata)
    successes = [EventAccepted(id=event["id"]) for event in stored]
    return json_response(BatchOutcome(successes=successes, errors=errors), 207)


def sort_out(batch: Sequence[Any], access: Access) -> tuple[list[Event], list[EventRefused]]:
    """The valid events, creations before updates and each by time, and the answers to the others."""
    accepted: list[Event] = []
    errors: list[EventRefused] = []
    room = _ISSUE_CHARS
    for event in batch:
        try:
            checked = accepted_event(event)
        except InvalidData as error:
            text = issues.as_text(error.issues if room > 0 else error.issues[:1])
            room -= len(text)
            errors.append(_refusal(event, 400, error.message, text))
            continue
        if access == "scores" and checked["type"] not in _SCORES_ONLY_TYPES:
            errors.append(_refusal(event, 401, "Authentication error", "Access Scope Denied"))
            continue
        accepted.append(checked)
    accepted.sort(key=lambda event: (event["type"].endswith("-update"), parse_time(event["timestamp"])))
    return accepted, errors


async def store_events(request: Request, auth: Auth, events: Sequence[Event], metadata: Any = None) -> None:
    """Queue valid events as one entry; raises Overloaded and StoreUnavailable, and then nothing is stored."""
    if not events:
        return
    name, version = sdk_of(request.headers)
    if isinstance(metadata, dict):
        name = name or str(metadata.get("sdk_name") or "")
        version = version or str(metadata.get("sdk_version") or "")
    body = msgspec.json.encode(events)
    entry = Entry(
        kind="events",
        project_id=auth.project_id,
        accepted_at=time.time_ns() // 1000,
        sdk_name=name,
        sdk_version=version,
        items=len(events),
        plain_bytes=len(body),
        body=body,
    )
    await context_of(request).stream.append(entry)


def new_event(event_type: str, body: Any, timestamp: str | None = None) -> Event:
    """An envelope around a body that came without one; the time is now unless there is a `timestamp`."""
    return {
        "id": str(uuid.uuid4()),
        "timestamp": timestamp or iso_micros(time.time_ns() // 1000),
        "type": event_type,
        "body": body,
    }


def _single(event_type: str, id_field: str = "id") -> Callable[[Request], Awaitable[Response]]:
    async def ingest_one(request: Request) -> Response:
        """Accept one object as older SDKs send it: 200 with its id once it is stored durably."""
        auth = await authorize(request)
        body = await read_json(request, dict[str, Any])
        if sent := body.pop(id_field, None):
            body["id"] = sent
        elif not event_type.endswith("-update"):
            body["id"] = str(uuid.uuid4())
        event = accepted_object(new_event(event_type, body), id_field)
        await store_events(request, auth, [event])
        return json_response(CreatedObject(id=event["body"]["id"]))

    return ingest_one


def accepted_object(event: Event, id_field: str = "id") -> Event:
    """The normal form of an event around one object; raises InvalidData, its paths counted from the object."""
    try:
        return accepted_event(event)
    except InvalidData as error:
        raise InvalidData([_of_object(issue, id_field) for issue in error.issues]) from None


def _of_object(issue: Issue, id_field: str) -> Issue:
    """The issue of an event's body, with its path as the client knows it."""
    path = issue.path[1:]
    return msgspec.structs.replace(issue, path=(id_field,) if path == ("id",) else path)


def _refusal(event: Any, status: int, message: str, error: str) -> EventRefused:
    event_id = event.get("id") if isinstance(event, dict) else None
    known_id = event_id if isinstance(event_id, str) else "unknown"
    return EventRefused(id=known_id, status=status, message=message, error=error)


ROUTES = [
    Route("/api/public/ingestion", ingest_batch, methods=["POST"]),
    Route("/api/public/traces", _single("trace-create"), methods=["POST"]),
    Route("/api/public/spans", _single("span-create"), methods=["POST"]),
    Route("/api/public/spans", _single("span-update", "spanId"), methods=["PATCH"]),
    Route("/api/public/generations", _single("generation-create"), methods=["POST"]),
    Route("/api/public/generations", _single("generation-update", "generationId"), methods=["PATCH"]),
    Route("/api/public/events", _single("event-create"), methods=["POST"]),
]
