"""Model definitions: what models cost, and how their tokens are counted (contract: server semantics 6.11)."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Collection
from datetime import datetime
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from appliance.errors import InvalidRequest, NotFound, StoreUnavailable
from appliance.model.patterns import BadPattern, check_patterns
from appliance.model.price_table import built_in_models
from appliance.model.pricing import ModelDefinition, PricingTier, TierCondition
from appliance.model.tier_rules import tiers_fault
from appliance.model.times import micros_of
from appliance.storage.postgres.models import Models
from appliance.storage.redis.heartbeats import Heartbeats
from appliance.web.auth import authorize
from appliance.web.bodies import read_json
from appliance.web.params import page_from
from appliance.web.responses import iso_micros, json_response

_NOT_FOUND: Final = "No model with this id found."
_FLAT: Final = {"input": "input_price", "output": "output_price", "total": "total_price"}

Price = Annotated[float, Meta(ge=0)]


class _Tier(msgspec.Struct, rename="camel"):
    name: Annotated[str, Meta(min_length=1)]
    is_default: bool
    priority: Annotated[int, Meta(ge=0)]
    conditions: list[TierCondition]
    prices: Annotated[dict[str, Price], Meta(min_length=1)]


class _Create(msgspec.Struct, rename="camel"):
    model_name: Annotated[str, Meta(min_length=1)]
    match_pattern: Annotated[str, Meta(min_length=1)]
    start_date: Annotated[datetime, Meta(tz=True)] | None = None
    unit: Literal["CHARACTERS", "TOKENS", "MILLISECONDS", "SECONDS", "IMAGES", "REQUESTS"] | None = None
    input_price: Price | None = None
    output_price: Price | None = None
    total_price: Price | None = None
    pricing_tiers: list[_Tier] | None = None
    tokenizer_id: Literal["openai", "claude"] | None = None
    tokenizer_config: dict[str, Any] | None = None


async def list_models(request: Request) -> Response:
    """The project's own models and the built-in ones, by name."""
    auth = await authorize(request)
    page = page_from(request)
    found = sorted([*await _models(request).of_project(auth.project_id), *built_in_models()], key=_order)
    slow = await _patterns_set_aside(request)
    shown = [_shown(model, slow) for model in found[page.offset : page.offset + page.limit]]
    return json_response({"data": shown, "meta": page.meta(len(found))})


async def create_model(request: Request) -> Response:
    """A model of the project, with flat prices or with tiers; its prices count for what arrives from now on."""
    auth = await authorize(request)
    body = await read_json(request, _Create)
    model_id = str(uuid.uuid4())
    tiers = await asyncio.to_thread(_checked_tiers, model_id, body)
    model = ModelDefinition(
        id=model_id,
        project_id=auth.project_id,
        model_name=body.model_name,
        match_pattern=body.match_pattern,
        start_date=None if body.start_date is None else micros_of(body.start_date),
        unit=body.unit,
        tokenizer_id=body.tokenizer_id,
        tokenizer_config=body.tokenizer_config,
        pricing_tiers=tiers,
    )
    stored = await _models(request).create(model)
    if stored is None:
        raise InvalidRequest(f"A model named {body.model_name!r} with this start date and unit exists in the project.")
    return json_response(_shown(stored))


async def get_model(request: Request) -> Response:
    """The model with this id, own or built in."""
    auth = await authorize(request)
    model_id = request.path_params["id"]
    own = await _models(request).get(auth.project_id, model_id)
    found = own or next((model for model in built_in_models() if model.id == model_id), None)
    if found is None:
        raise NotFound(_NOT_FOUND)
    return json_response(_shown(found, await _patterns_set_aside(request)))


async def delete_model(request: Request) -> Response:
    """Delete a model of the project; what it has priced keeps its costs."""
    auth = await authorize(request)
    if not await _models(request).delete(auth.project_id, request.path_params["id"]):
        raise NotFound(f"{_NOT_FOUND} Built-in models cannot be deleted: make one of the same name to override them.")
    return json_response({"message": "Model successfully deleted"})


def _checked_tiers(model_id: str, body: _Create) -> tuple[PricingTier, ...]:
    """The tiers of a model whose patterns can all be used; raises InvalidRequest. Takes up to 0.2 s."""
    try:
        check_patterns([body.match_pattern])
    except BadPattern as error:
        raise InvalidRequest(f"matchPattern: {error}.") from error
    return _tiers(model_id, body)


def _tiers(model_id: str, body: _Create) -> tuple[PricingTier, ...]:
    flat = {kind: price for kind, field in _FLAT.items() if (price := getattr(body, field)) is not None}
    if "total" in flat and len(flat) > 1:
        raise InvalidRequest("totalPrice cannot be set beside inputPrice or outputPrice.")
    if body.pricing_tiers is None:
        return (PricingTier(id=f"{model_id}_tier_default", name="Standard", prices=flat),)
    if flat:
        raise InvalidRequest("Give flat prices or pricingTiers, not both.")
    tiers = tuple(
        PricingTier(
            id=str(uuid.uuid4()),
            name=tier.name,
            is_default=tier.is_default,
            priority=tier.priority,
            conditions=tuple(tier.conditions),
            prices=tier.prices,
        )
        for tier in body.pricing_tiers
    )
    if fault := tiers_fault(tiers):
        raise InvalidRequest(fault)
    return tiers


def _order(model: ModelDefinition) -> tuple[str, str, int, str]:
    """By name, unit, and newest start first, as databases sort: without a start comes first."""
    return model.model_name, model.unit or "", -(model.start_date if model.start_date is not None else 2**62), model.id


async def _patterns_set_aside(request: Request) -> set[str]:
    """What workers do not use any more; none is known while Redis is away."""
    try:
        return await Heartbeats(request.app.state.context.redis).patterns_set_aside()
    except StoreUnavailable:
        return set()


def _shown(model: ModelDefinition, slow_patterns: Collection[str] = ()) -> dict[str, Any]:
    default = model.default_tier
    prices = default.prices if default else {}
    return {
        "id": model.id,
        "modelName": model.model_name,
        "matchPattern": model.match_pattern,
        "startDate": None if model.start_date is None else iso_micros(model.start_date),
        "unit": model.unit,
        "inputPrice": prices.get("input"),
        "outputPrice": prices.get("output"),
        "totalPrice": prices.get("total"),
        "tokenizerId": model.tokenizer_id,
        "tokenizerConfig": model.tokenizer_config,
        "isLangfuseManaged": model.project_id is None,
        "createdAt": iso_micros(model.created_at),
        "prices": {kind: {"price": price} for kind, price in prices.items()},
        "pricingTiers": [_shown_tier(tier) for tier in model.pricing_tiers],
        **({"matchPatternTooSlow": True} if model.match_pattern in slow_patterns else {}),
    }


def _shown_tier(tier: PricingTier) -> dict[str, Any]:
    return {
        "id": tier.id,
        "name": tier.name,
        "isDefault": tier.is_default,
        "priority": tier.priority,
        "conditions": [_shown_condition(condition) for condition in tier.conditions],
        "prices": tier.prices,
    }


def _shown_condition(condition: TierCondition) -> dict[str, Any]:
    if condition.source is not None:
        return {"source": condition.source, "key": condition.key, "operator": "in", "values": list(condition.values)}
    return {
        "usageDetailPattern": condition.usage_detail_pattern,
        "operator": condition.operator,
        "value": condition.value,
        "caseSensitive": condition.case_sensitive,
    }


def _models(request: Request) -> Models:
    return Models(request.app.state.context.postgres)


routes = [
    Route("/api/public/models", list_models),
    Route("/api/public/models", create_model, methods=["POST"]),
    Route("/api/public/models/{id:segment}", get_model),
    Route("/api/public/models/{id:segment}", delete_model, methods=["DELETE"]),
]
