"""The prices that come with the package (`prices.json`), and the names that programs report tokens under."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from importlib import resources
from typing import Final

import msgspec

from appliance.model.pricing import ModelDefinition

# Other names that programs report the same tokens under; a part without a price of its own costs what its whole does.
_SAME_PRICE: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    ("input", ("input_tokens", "prompt_tokens", "input_text", "input_cache_read", "input_cache_creation")),
    ("input", ("input_audio", "input_image")),
    ("output", ("output_tokens", "completion_tokens", "output_text", "output_reasoning", "output_audio")),
    ("output", ("output_accepted_prediction_tokens", "output_rejected_prediction_tokens")),
    ("input_cache_read", ("input_cached_tokens", "cache_read_input_tokens", "input_cached_audio")),
    ("input_cache_creation", ("input_cache_creation_5m", "cache_creation_input_tokens", "input_cache_write")),
    ("input_cache_creation", ("input_cache_creation_1h",)),
    ("input_cache_creation_5m", ("cache_creation_ephemeral_5m_input_tokens",)),
    ("input_cache_creation_1h", ("cache_creation_ephemeral_1h_input_tokens",)),
    ("input_audio", ("input_audio_tokens",)),
    ("input_image", ("input_image_tokens",)),
    ("output_audio", ("output_audio_tokens",)),
    ("output_reasoning", ("output_reasoning_tokens",)),
)


def _with_other_names(prices: Mapping[str, float]) -> dict[str, float]:
    named = dict(prices)
    for whole, names in _SAME_PRICE:
        if whole in named:
            for name in names:
                named.setdefault(name, named[whole])
    return named


_MADE_AT: Final = 1_795_392_000_000_000
"""23 November 2026, microseconds since the epoch."""


_CHAT_CONFIG: Final = {"tokensPerMessage": 3, "tokensPerName": 1}
"""Tokens that OpenAI counts around each message of a chat."""
_NOT_TEXT: Final = ("audio", "dall-e", "image", "moderation", "realtime", "sora", "transcribe", "tts", "whisper")


def _is_openai(model: ModelDefinition) -> bool:
    is_text = not any(word in model.model_name.lower() for word in _NOT_TEXT)
    return is_text and model.id.startswith("builtin-openai-")


def _tokenizer_of(model: ModelDefinition) -> str | None:
    if _is_openai(model):
        return "openai"
    return "claude" if "claude" in model.model_name.lower() else None


@lru_cache(maxsize=1)
def built_in_models() -> tuple[ModelDefinition, ...]:
    """The price table that comes with the package (`prices.json`); of several that match, the first counts."""
    text = (resources.files("appliance.model") / "prices.json").read_bytes()
    models = msgspec.json.decode(text, type=list[ModelDefinition])
    return tuple(
        msgspec.structs.replace(
            model,
            unit="TOKENS",
            created_at=_MADE_AT,
            tokenizer_id=_tokenizer_of(model),
            tokenizer_config=_CHAT_CONFIG | {"tokenizerModel": model.model_name} if _is_openai(model) else None,
            pricing_tiers=tuple(
                msgspec.structs.replace(tier, prices=_with_other_names(tier.prices)) for tier in model.pricing_tiers
            ),
        )
        for model in models
    )
