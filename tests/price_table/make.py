"""The built-in price table out of the facts of `genai-prices`: clauses on names, prices per million, thresholds."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from itertools import count
from typing import Any, Final

from genai_prices import types
from genai_prices.data import providers

from appliance.model.local_models import FREE_PATTERN, LOCAL_PATTERN

AS_OF: Final = date(2026, 11, 23)
"""The day whose prices count; change it, and the version of genai-prices, to bring the table up to date."""
PROVIDERS: Final = (
    *("openai", "anthropic", "aws", "google", "mistral", "deepseek", "cohere", "x-ai", "moonshotai", "zai", "minimax"),
    *("voyageai", "perplexity", "meta", "groq", "together", "fireworks", "cerebras"),
)
"""Where providers share a name, the first counts. Bedrock's names are more special than Google's clauses for Claude."""
USAGE_TYPES: Final = {
    "input_mtok": "input",
    "output_mtok": "output",
    "cache_read_mtok": "input_cache_read",
    "cache_write_mtok": "input_cache_creation",
    "cache_write_1h_mtok": "input_cache_creation_1h",
    "input_audio_mtok": "input_audio",
    "output_audio_mtok": "output_audio",
    "cache_audio_read_mtok": "input_cached_audio",
    "input_image_mtok": "input_image",
    "output_image_mtok": "output_image",
    "output_reasoning_mtok": "output_reasoning",
}
CONTEXTS: Final = {
    "service_tier=priority": ("Priority", "service_tier", "priority"),
    "service_tier=flex": ("Flex", "service_tier", "flex"),
    "processing=batch": ("Batch", "service_tier", "batch"),
    "speed=fast": ("Fast", "speed", "fast"),
}
"""Ways of processing with prices of their own, and the model parameter that tells of them."""
_PREFIX: Final = r"(?i)^(?:[\w.@:-]+/)*"
_MILLION: Final = Decimal(1_000_000)


def price_table() -> str:
    """The whole file: a JSON list with one model per line."""
    by_id = {provider.id: provider for provider in providers}
    lines = [
        json.dumps(_free(name, pattern), separators=(",", ":"))
        for name, pattern in (("free variants", FREE_PATTERN), ("local models", LOCAL_PATTERN))
    ]
    lines += [
        json.dumps(entry, separators=(",", ":"))
        for name in PROVIDERS
        for model in _without_regions(by_id[name].models)
        if (entry := _entry(name, model))
    ]
    return "[\n" + ",\n".join(lines) + "\n]\n"


def _without_regions(models: Iterable[types.ModelInfo]) -> Iterator[types.ModelInfo]:
    """Bedrock's models, whose plain names go with the global price.

    Instrumentations leave the region out of a name, so a plain name does not tell that the region's price was paid.
    """
    found = {model.id: model for model in models}
    for id, model in found.items():
        region, _, name = id.partition(".")
        if region == "regional" and f"global.{name}" in found:
            yield _matching(model, [each for each in _alternatives(model) if not _is_plain(each)])
        elif region == "global" and (regional := found.get(f"regional.{name}")):
            plain = [each for each in _alternatives(regional) if _is_plain(each)]
            yield _matching(model, [*_alternatives(model), *plain])
        else:
            yield model


def _alternatives(model: types.ModelInfo) -> list[Any]:
    return list(model.match.or_) if isinstance(model.match, types.ClauseOr) else [model.match]


def _matching(model: types.ModelInfo, clauses: list[Any]) -> types.ModelInfo:
    return dataclasses.replace(model, match=types.ClauseOr(or_=clauses) if len(clauses) > 1 else clauses[0])


def _is_plain(clause: Any) -> bool:
    text = getattr(clause, "equals", None) or getattr(clause, "starts_with", None) or ""
    return text.startswith(("anthropic.", "claude-"))


def _free(name: str, pattern: str) -> dict[str, Any]:
    """Models that cost nothing. They come first: the names of hosted models are often the beginnings of theirs."""
    id = f"builtin-{name.replace(' ', '-')}"
    tier = _tier(f"{id}-standard", "Standard", 0, [], {"input": 0.0, "output": 0.0})
    return {"id": id, "modelName": name, "matchPattern": pattern, "pricingTiers": [tier]}


def _entry(provider: str, model: types.ModelInfo) -> dict[str, Any] | None:
    id = f"builtin-{provider}-" + re.sub(r"[^\w.-]+", "-", model.id.lower())
    tiers = list(_tiers(id, model))
    if not tiers:
        return None
    pattern = _PREFIX + _as_pattern(model.match)
    return {"id": id, "modelName": model.id, "matchPattern": pattern, "pricingTiers": tiers}


def _tiers(id: str, model: types.ModelInfo) -> Iterator[dict[str, Any]]:
    """The standard tier, and before it by priority those for large contexts and for other ways of processing."""
    standard = _active(model.prices)
    if not _per_token(standard, 0):
        return
    yield _tier(f"{id}-standard", "Standard", 0, [], _per_token(standard, 0))
    priority = count(1)
    for words, key, value, special in _contexts(model, standard):
        condition = {"source": "model_parameters", "key": key, "operator": "in", "values": [value]}
        for start in (*_starts(special), 0):
            name, conditions = _above(start, words)
            suffix = name.lower().replace(" ", "-")
            yield _tier(f"{id}-{suffix}", name, next(priority), [condition, *conditions], _per_token(special, start))
    for start in _starts(standard):
        _, conditions = _above(start, "")
        name = f"Over {start} input tokens"
        yield _tier(f"{id}-over-{start}", name, next(priority), conditions, _per_token(standard, start))


def _above(start: int, words: str) -> tuple[str, list[dict[str, Any]]]:
    condition = {"usageDetailPattern": "^(input|prompt|cache)", "operator": "gt", "value": start}
    return (f"{words} over {start}", [condition]) if start else (words, [])


def _tier(id: str, name: str, priority: int, conditions: list[Any], prices: dict[str, float]) -> dict[str, Any]:
    found: dict[str, Any] = {"id": id, "name": name, "isDefault": not conditions, "priority": priority}
    return found | ({"conditions": conditions} if conditions else {}) | {"prices": prices}


Prices = Mapping[str, Decimal | types.TieredPrices]


def _active(prices: Any) -> Prices:
    """The prices of the day; where they differ by the hour, those of most hours."""
    listed = prices if isinstance(prices, list) else [types.ConditionalPrice(prices=prices)]
    begun = [each for each in listed if not _is_later(each.constraint)]
    last = max((n for n, each in enumerate(begun) if not _hours(each)), default=0)
    # What follows the newest start date and is bound to hours replaces it within these hours.
    hourly = begun[last + 1 :]
    rest = 24.0 - sum(map(_hours, hourly))
    hours = [rest, *map(_hours, hourly)]
    return _values(begun[last + hours.index(max(hours))].prices)


def _is_later(constraint: Any) -> bool:
    return isinstance(constraint, types.StartDateConstraint) and constraint.start_date > AS_OF


def _hours(price: types.ConditionalPrice) -> float:
    """The hours of the day that a price is bound to; 0 when it is bound to none."""
    if not isinstance(price.constraint, types.TimeOfDateConstraint):
        return 0.0
    edges = [time.hour + time.minute / 60 for time in (price.constraint.start_time, price.constraint.end_time)]
    return (edges[1] - edges[0]) % 24


def _values(prices: types.ModelPrice) -> Prices:
    return {key: value for key, value in vars(prices).items() if key in USAGE_TYPES and value is not None}


def _contexts(model: types.ModelInfo, standard: Prices) -> Iterator[tuple[str, str, str, Prices]]:
    newest: dict[str, Prices] = {}
    for variant in model.price_variants or ():
        starts = variant.constraint.start_date if isinstance(variant.constraint, types.StartDateConstraint) else AS_OF
        context = ",".join(f"{key}={value}" for key, value in variant.when.items())
        if context in CONTEXTS and starts <= AS_OF:
            newest[context] = {**standard, **_values(variant.prices)}
    for context, prices in newest.items():
        words, key, value = CONTEXTS[context]
        yield words, key, value, prices


def _starts(prices: Prices) -> list[int]:
    """The thresholds of tiers, in input tokens, the largest first."""
    found = {tier.start for value in prices.values() if isinstance(value, types.TieredPrices) for tier in value.tiers}
    return sorted(found, reverse=True)


def _base(value: Decimal | types.TieredPrices) -> Decimal:
    return value.base if isinstance(value, types.TieredPrices) else value


def _per_token(prices: Prices, above: int) -> dict[str, float]:
    """USD per token by usage type, once the input is larger than a threshold."""
    found = {}
    for key, value in prices.items():
        reached = value.tiers if isinstance(value, types.TieredPrices) else []
        steps = [tier.price for tier in reached if tier.start <= above]
        found[USAGE_TYPES[key]] = float((steps[-1] if steps else _base(value)) / _MILLION)
    return found


def _as_pattern(clause: Any) -> str:
    match clause:
        case types.ClauseEquals(equals=text):
            return re.escape(text) + "$"
        case types.ClauseStartsWith(starts_with=text):
            return re.escape(text)
        case types.ClauseEndsWith(ends_with=text):
            return ".*" + re.escape(text) + "$"
        case types.ClauseContains(contains=text):
            return ".*" + re.escape(text)
        case types.ClauseRegex(regex=text):
            return text.removeprefix("^") if text.startswith("^") else f".*(?:{text})"
        case types.ClauseOr(or_=clauses):
            return "(?:" + "|".join(map(_as_pattern, clauses)) + ")"
        case types.ClauseAnd(and_=clauses):
            return "".join(f"(?={_as_pattern(each)})" for each in clauses)
    raise ValueError(f"Nothing is known of {clause!r}.")
