"""No value of any attribute that a mapper reads makes a span unreadable."""

from __future__ import annotations

import random
from typing import Any

import msgspec
import pytest

from appliance.ingestion.otel.conventions.registry import draft_of
from appliance.ingestion.otel.decoding.decode import decode_json, decode_protobuf
from appliance.ingestion.otel.observation import complete_metadata, observation_of
from appliance.ingestion.otel.span import Attributes, Span
from appliance.model.observations import Observation
from appliance.model.price_table import built_in_models
from appliance.model.pricing import Pricing
from tests.unit.ingestion.corpus import SOURCES, requests
from tests.unit.ingestion.spans import SOURCE

ROUNDS = 3
VALUES: tuple[Any, ...] = (
    None,
    "",
    0,
    -1,
    1.5,
    True,
    [],
    ["a", 1, None],
    "{}",
    "[]",
    '{"a":',
    "NaN",
    "[[[",
    "null",
    '"x"',
    "[1]",
    '{"usage":5,"openai":3,"anthropic":{"usage":[]},"messages":3}',
    10**30,
    '[{"role":1}]',
    '{"input_tokens_details":4}',
)


def spans_of(source: str) -> list[Span]:
    sent = [request for request in requests(source) if request.endpoint == "otlp"]
    return [span for one in sent for span in (decode_json if one.is_json else decode_protobuf)(one.body)]


def mutate(attributes: Attributes, choices: random.Random) -> None:
    for key in list(attributes):
        if choices.random() < 0.3:
            attributes[key] = choices.choice(VALUES)


@pytest.mark.parametrize("source", SOURCES)
def test_any_value_makes_a_valid_row(source: str) -> None:
    choices, pricing = random.Random(source), Pricing(built_in_models())
    for _ in range(ROUNDS):
        for span in spans_of(source):
            for attributes in (span.attributes, *(event.attributes for event in span.events)):
                mutate(attributes, choices)
            draft = draft_of(span)
            complete_metadata(span, draft)
            row = observation_of(span, draft, SOURCE, pricing)
            msgspec.json.decode(msgspec.json.encode(row), type=Observation)
