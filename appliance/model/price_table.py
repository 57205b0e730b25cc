"""The prices that come with the package (`prices.json`)."""

from __future__ import annotations

from functools import lru_cache
from importlib import resources
from typing import Final

import msgspec

from appliance.model.price_names import with_other_names
from appliance.model.pricing import ModelDefinition

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
                msgspec.structs.replace(tier, prices=with_other_names(tier.prices)) for tier in model.pricing_tiers
            ),
        )
        for model in models
    )
