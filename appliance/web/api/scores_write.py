"""POST /scores: one object, or the array that newer SDKs send (contract: 6.7, SDK contract 5.2)."""

from __future__ import annotations

import uuid
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from appliance.api_types.ingestion import CreatedObject, ScoreRefused, ScoresOutcome
from appliance.api_types.messages import Message
from appliance.errors import InvalidData
from appliance.ingestion.legacy.events import accepted_event
from appliance.web.api.ingestion import Event, new_event, store_events
from appliance.web.auth import Auth, authorize
from appliance.web.bodies import issue_from, read_json
from appliance.web.responses import json_response


async def create_scores(request: Request) -> Response:
    """Accept one score (200 with its id) or many (202, or 207 when some are refused)."""
    auth = await authorize(request, allow_scores_only=True)
    body = await read_json(request, object)
    if isinstance(body, list):
        return await _create_many(request, auth, body)
    try:
        event = score_event(body)
    except msgspec.ValidationError as error:
        raise InvalidData([issue_from(error)]) from None
    await store_events(request, auth, [event])
    return json_response(CreatedObject(id=event["body"]["id"]))


def score_event(score: Any) -> Event:
    """The `score-create` event of one score; its time is the score's own `timestamp` when it has one.

    Raises msgspec.ValidationError, its path counted from the score; only people and programs may score here, no EVAL.
    """
    if not isinstance(score, dict):
        raise msgspec.ValidationError("Expected `object`")
    if score.get("source") == "EVAL":
        raise msgspec.ValidationError("source must be API or ANNOTATION - at `$.source`")
    body = {**score, "id": score.get("id") or str(uuid.uuid4())}
    try:
        event = accepted_event(new_event("score-create", body))
    except msgspec.ValidationError as error:
        raise msgspec.ValidationError(str(error).replace("`$.body", "`$")) from None
    if body.get("timestamp"):
        event["timestamp"] = body["timestamp"]
    return event


async def _create_many(request: Request, auth: Auth, scores: list[Any]) -> Response:
    events: list[Event] = []
    errors: list[ScoreRefused] = []
    for position, score in enumerate(scores):
        try:
            events.append(score_event(score))
        except msgspec.ValidationError as error:
            errors.append(ScoreRefused(message=f"Score {position}: {error}"))
    await store_events(request, auth, events)
    if errors:
        return json_response(ScoresOutcome(accepted=len(events), rejected=len(errors), errors=errors), 207)
    return json_response(Message("Accepted"), 202)


ROUTES = [Route("/api/public/scores", create_scores, methods=["POST"])]
