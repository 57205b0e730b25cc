"""Model definitions: what models cost, and how their tokens are counted (contract: server semantics 6.11)."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Collection
from typing import Final

from msgspec import UNSET
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from appliance import issues
from appliance.api_types.messages import Message
from appliance.api_types.models import ApiModel, ApiTier, ApiTierCondition, CreateModel, ModelPrice
from appliance.api_types.pages import ApiPage
from appliance.errors import InvalidData, InvalidRequest, NotFound, StoreUnavailable
from appliance.model.patterns import BadPattern, check_patterns
from appliance.model.price_table import built_in_models
from appliance.model.pricing import ModelDefinition, PricingTier, TierCondition
from appliance.model.tier_rules import tiers_fault
from appliance.model.times import micros_of
from appliance.storage.redis.heartbeats import Heartbeats
from appliance.web.auth import authorize
from appliance.web.bodies import read_json
from appliance.web.params import page_params
from appliance.web.responses import iso_micros, json_response, optional_time
from appliance.web.state import context_of

_NOT_FOUND: Final = "No model with this id found."
_BUILT_IN: Final = "Note: You cannot delete built-in models, override them with a model with the same name."
_TOTAL_ALONE: Final = "If input and/or output price is set, total price must be null"
_ONE_KIND: Final = "Must provide either flat prices (inputPrice/outputPrice/totalPrice) OR pricingTiers, not both"
_FLAT: Final = {"input": "input_price", "output": "output_price", "total": "total_price"}


async def list_models(request: Request) -> Response:
    """The project's own models and the built-in ones, by name."""
    auth = await authorize(request)
    page = page_params(request)
    models = sorted([*await context_of(request).models.of_project(auth.project_id), *built_in_models()], key=_order)
    slow = await _patterns_set_aside(request)
    data = [api_model(model, slow) for model in models[page.offset : page.offset + page.limit]]
    return json_response(ApiPage(data, page.meta(len(models))))


async def create_model(request: Request) -> Response:
    """A model of the project, with flat prices or with tiers; its prices count for what arrives from now on."""
    auth = await authorize(request)
    body = await read_json(request, CreateModel)
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
    stored = await context_of(request).models.create(model)
    if stored is None:
        raise InvalidRequest(f"A model named {body.model_name!r} with this start date and unit exists in the project.")
    return json_response(api_model(stored))


async def get_model(request: Request) -> Response:
    """The model with this id, own or built in."""
    auth = await authorize(request)
    model_id = request.path_params["id"]
    own = await context_of(request).models.get(auth.project_id, model_id)
    model = own or next((model for model in built_in_models() if model.id == model_id), None)
    if model is None:
        raise NotFound(_NOT_FOUND)
    return json_response(api_model(model, await _patterns_set_aside(request)))


async def delete_model(request: Request) -> Response:
    """Delete a model of the project; what it has priced keeps its costs."""
    auth = await authorize(request)
    if not await context_of(request).models.delete(auth.project_id, request.path_params["id"]):
        raise NotFound(f"{_NOT_FOUND} {_BUILT_IN}")
    return json_response(Message("Model successfully deleted"))


def _checked_tiers(model_id: str, body: CreateModel) -> tuple[PricingTier, ...]:
    """The tiers of a model whose patterns can all be used; raises InvalidRequest. Takes up to 0.2 s."""
    try:
        check_patterns([body.match_pattern])
    except BadPattern as error:
        raise InvalidRequest(f"matchPattern: {error}.") from error
    return _tiers(model_id, body)


def _tiers(model_id: str, body: CreateModel) -> tuple[PricingTier, ...]:
    flat = {kind: price for kind, field in _FLAT.items() if (price := getattr(body, field)) is not None}
    if "total" in flat and len(flat) > 1:
        raise InvalidData([issues.custom(("totalPrice",), _TOTAL_ALONE)])
    if body.pricing_tiers is None:
        return (PricingTier(id=f"{model_id}_tier_default", name="Standard", prices=flat),)
    if flat:
        raise InvalidData([issues.custom((), _ONE_KIND)])
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
        raise InvalidData([issues.custom(("pricingTiers",), fault)])
    return tiers


def _order(model: ModelDefinition) -> tuple[str, str, int, str]:
    """By name, unit, and newest start first, as databases sort: without a start comes first."""
    return model.model_name, model.unit or "", -(model.start_date if model.start_date is not None else 2**62), model.id


async def _patterns_set_aside(request: Request) -> set[str]:
    """What workers do not use any more; none is known while Redis is away."""
    try:
        return await Heartbeats(context_of(request).redis).patterns_set_aside()
    except StoreUnavailable:
        return set()


def api_model(model: ModelDefinition, slow_patterns: Collection[str] = ()) -> ApiModel:
    """The model; patterns among `slow_patterns` are marked."""
    default = model.default_tier
    prices = default.prices if default else {}
    return ApiModel(
        id=model.id,
        model_name=model.model_name,
        match_pattern=model.match_pattern,
        start_date=optional_time(model.start_date),
        unit=model.unit,
        input_price=prices.get("input"),
        output_price=prices.get("output"),
        total_price=prices.get("total"),
        tokenizer_id=model.tokenizer_id,
        tokenizer_config=model.tokenizer_config,
        is_langfuse_managed=model.project_id is None,
        created_at=iso_micros(model.created_at),
        prices={kind: ModelPrice(price) for kind, price in prices.items()},
        pricing_tiers=[_tier(tier) for tier in model.pricing_tiers],
        match_pattern_too_slow=True if model.match_pattern in slow_patterns else UNSET,
    )


def _tier(tier: PricingTier) -> ApiTier:
    return ApiTier(
        id=tier.id,
        name=tier.name,
        is_default=tier.is_default,
        priority=tier.priority,
        conditions=[_condition(condition) for condition in tier.conditions],
        prices=tier.prices,
    )


def _condition(condition: TierCondition) -> ApiTierCondition:
    if condition.source is not None:
        return ApiTierCondition(
            operator="in", source=condition.source, key=condition.key, values=list(condition.values)
        )
    return ApiTierCondition(
        operator=condition.operator,
        usage_detail_pattern=condition.usage_detail_pattern,
        value=condition.value,
        case_sensitive=condition.case_sensitive,
    )


ROUTES = [
    Route("/api/public/models", list_models),
    Route("/api/public/models", create_model, methods=["POST"]),
    Route("/api/public/models/{id:segment}", get_model),
    Route("/api/public/models/{id:segment}", delete_model, methods=["DELETE"]),
]
