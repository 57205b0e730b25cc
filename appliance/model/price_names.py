"""Which usage types cost the same: other names of one type, and parts without a price of their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_NAMES: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    ("input", ("input_tokens", "prompt_tokens", "input_text", "input_text_tokens")),
    ("output", ("output_tokens", "completion_tokens", "output_text", "output_text_tokens")),
    ("input_cache_read", ("input_cached_tokens", "cache_read_input_tokens", "input_cached")),
    ("input_cache_creation", ("cache_creation_input_tokens", "input_cache_write", "input_cache_write_tokens")),
    ("input_cache_creation_5m", ("cache_creation_ephemeral_5m_input_tokens",)),
    ("input_cache_creation_1h", ("cache_creation_ephemeral_1h_input_tokens",)),
    ("input_audio", ("input_audio_tokens",)),
    ("input_cached_audio", ()),
    ("input_image", ("input_image_tokens",)),
    ("output_audio", ("output_audio_tokens",)),
    ("output_image", ("output_image_tokens",)),
    ("output_reasoning", ("output_reasoning_tokens",)),
    ("output_accepted_prediction_tokens", ()),
    ("output_rejected_prediction_tokens", ()),
)
"""Types by the name that the price table has for them, and the other names that programs report the same under."""
_WHOLE: Final = {
    "input_cached_audio": "input_cache_read",
    "input_cache_creation_5m": "input_cache_creation",
    "input_cache_creation_1h": "input_cache_creation",
}
"""Parts of parts; any other is a part of its side."""
_TYPE_OF: Final = {name: type for type, names in _NAMES for name in (type, *names)}
_NAMES_OF: Final = {type: (type, *names) for type, names in _NAMES}
_SIDES: Final = ("input", "output")


def price_of(usage_type: str, prices: Mapping[str, float]) -> float | None:
    """USD per unit: the price of that name, else of another name of the same, else of the whole that it is a part of.

    None where not even its side has a price, and for a type that names no side.
    """
    if (price := prices.get(usage_type)) is not None:
        return price
    wanted = _TYPE_OF.get(usage_type, usage_type)
    while True:
        for name in _NAMES_OF.get(wanted, ()):
            if name in prices:
                return prices[name]
        whole = _WHOLE.get(wanted) or next((side for side in _SIDES if side in wanted), None)
        if whole is None or whole == wanted:
            return None
        wanted = whole


def with_other_names(prices: Mapping[str, float]) -> dict[str, float]:
    """The prices of all usage types that are known, as far as anything is said of them."""
    known = {name: price_of(name, prices) for name in _TYPE_OF}
    return {**{name: price for name, price in known.items() if price is not None}, **prices}
