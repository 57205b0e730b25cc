"""POST /scores: one object, or the array that newer SDKs send (contract: 6.7, SDK contract 5.2)."""

from __future__ import annotations

import uuid
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from appliance import issues
from appliance.api_types.ingestion import CreatedObject, ScoreRefused, ScoresOutcome
from appliance.api_types.messages import Message
from appliance.errors import InvalidData
from appliance.web.api.ingestion import Event, accepted_object, new_event, store_events
from appliance.web.auth import Auth, authorize
from appliance.web.bodies import read_json
from appliance.web.responses import json_response


async def create_scores(request: Request) -> Response:
    """Accept one score (200 with its id) or many (202, or 207 when some are refused)."""
    auth = await authorize(request, allow_scores_only=True)
    body = await read_json(request, object)
    if isinstance(body, list):
        return await _create_many(request, auth, body)
    event = score_event(body)
    await store_events(request, auth, [event])
    return json_response(CreatedObject(id=event["body"]["id"]))


def score_event(score: Any) -> Event:
    """The `score-create` event of one score; its time is the score's own `timestamp` when it has one.

    Raises InvalidData, its paths counted from the score; only people and programs may score here, no EVAL.
    """
    if not isinstance(score, dict):
        raise InvalidData([issues.invalid_type((), "object", score)])
    if score.get("source") == "EVAL":
        raise InvalidData([issues.invalid_value(("source",), ("API", "ANNOTATION"))])
    body = {**score, "id": score.get("id") or str(uuid.uuid4())}
    event = accepted_object(new_event("score-create", body))
    if body.get("timestamp"):
        event["timestamp"] = body["timestamp"]
    return event


async def _create_many(request: Request, auth: Auth, scores: list[Any]) -> Response:
    events: list[Event] = []
    errors: list[ScoreRefused] = []
    for position, score in enumerate(scores):
        try:
            events.append(score_event(score))
        except InvalidData as error:
            texts = "; ".join(f"{'.'.join(map(str, issue.path)) or 'score'}: {issue.message}" for issue in error.issues)
            errors.append(ScoreRefused(message=f"Score {position}: {texts}"))
    await store_events(request, auth, events)
    if errors:
        return json_response(ScoresOutcome(accepted=len(events), rejected=len(errors), errors=errors), 207)
    return json_response(Message("Accepted"), 202)


ROUTES = [Route("/api/public/scores", create_scores, methods=["POST"])]
