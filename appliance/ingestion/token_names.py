"""The meanings of the names that providers and libraries give to counts of tokens."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

INPUT: Final = "input"
OUTPUT: Final = "output"
TOTAL: Final = "total"
UNCACHED: Final = "input_uncached"
"""The rest of the input, where only its parts are sent."""
CACHED: Final = "input_cached_tokens"
WRITTEN: Final = "input_cache_creation"
WRITTEN_5M: Final = "input_cache_creation_5m"
WRITTEN_1H: Final = "input_cache_creation_1h"
REASONING: Final = "output_reasoning_tokens"
BESIDE: Final = "+"
"""Prefix of parts that the provider never counts in their side."""
NO_COUNT: Final = ""
"""Times, amounts of money, and parts of parts."""

_SIDES: Final = {
    **dict.fromkeys(("prompt", "input", "prompt_eval", "total_input"), INPUT),
    **dict.fromkeys(("completion", "output", "eval", "candidates", "response", "generated", "total_output"), OUTPUT),
    "total": TOTAL,
    "input.total": INPUT,
    "output.total": OUTPUT,
}
_CACHE_PARTS: Final = {
    **dict.fromkeys(("cached", "cache_read", "cached_read", "cache_hit", "cache_input", "cached_input"), CACHED),
    **dict.fromkeys(("cached_content", "cached_prompt", "cache_read_input", "num_cached", "total_cached"), CACHED),
    **dict.fromkeys(("cache_creation", "cache_creation_input", "cache_write", "cache_write_input"), WRITTEN),
    **dict.fromkeys(("cached_write", "cached_creation"), WRITTEN),
    **dict.fromkeys(("no_cache", "uncached", "cache_miss"), UNCACHED),
}
_PARTS: Final = {
    INPUT: _CACHE_PARTS,
    OUTPUT: dict.fromkeys(("reasoning", "thoughts", "thinking", "thought"), REASONING),
}
_BARE: Final = {
    **_CACHE_PARTS,
    **dict.fromkeys(("input_cached", "input_cache_read", "prompt_cache_hit"), CACHED),
    **dict.fromkeys(("input_cache_creation", "input_cache_write"), WRITTEN),
    **dict.fromkeys(("prompt_cache_miss",), UNCACHED),
    **dict.fromkeys(("output_reasoning", "reasoning", "thinking"), REASONING),
    # Google's thoughts and tool results, and what Pydantic AI calls experimental, are no part of the output or prompt.
    **dict.fromkeys(("thoughts", "total_thought", "experimental.reasoning"), BESIDE + REASONING),
    "tool_use_prompt": f"{BESIDE}input_tool_use_tokens",
}
REPEATED: Final = frozenset({"reasoning_tokens", "completion_details.reasoning"})
"""Names of reasoning that conventions keep as they are, beside an output that holds what they count."""
_REPEATING: Final = ("prompt_details.", "completion_details.", "details.")
_OTHER_CACHED: Final = ("details.cache", "prompt_details.cache", "details.ephemeral", "details.cached")
_SIDE_FIRST: Final = re.compile(r"(prompt|input|completion|output|candidates|response)(?:_details)?\.(.+)")
_SIDE_LAST: Final = re.compile(r"(.+)\.(input|output)")
_LIFETIME: Final = re.compile(r"(?:^|[._])(?:ephemeral|cache_creation|cache_write)_(5m|1h)(?:$|[._])")
_SUFFIX: Final = re.compile(r"_tokens?(?:_count)?(?=$|\.|_details)|_count(?=$|\.)")
_CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_NO_COUNTS: Final = re.compile(
    r"cost|price|per_second|^cache_tokens_details\."
    r"|(?:^|[._])(?:time|duration|latency|ms|ns|created|created_at|timestamp)$"
)
_MOST_CHARS: Final = 100


def meaning_of(name: str) -> str | None:
    """The meaning of a count by its (dotted) name: a side, `total`, or the stored name of a part of a side.

    None for an unknown name; `NO_COUNT` for a name that is never a count. A part with `BESIDE` before its name is
    known not to be within its side.
    """
    return _meaning_of(name) if len(name) <= _MOST_CHARS else None


@lru_cache(maxsize=4096)
def _meaning_of(name: str) -> str | None:
    if name in REPEATED or (name.startswith(_REPEATING) and not name.startswith(_OTHER_CACHED)):
        return None
    plain = _CAMEL.sub("_", name).lower().replace("-", "_").removeprefix("details.")
    if _NO_COUNTS.search(plain):
        return NO_COUNT
    bare = _SUFFIX.sub("", plain)
    if match := _LIFETIME.search(bare):
        return WRITTEN_5M if match[1] == "5m" else WRITTEN_1H
    known = _SIDES.get(bare) or _BARE.get(bare)
    return known or _part(bare, plain)


def _part(bare: str, plain: str) -> str | None:
    """A part that is named after its side, or before it."""
    if match := _SIDE_FIRST.fullmatch(bare):
        side, part, as_sent = _SIDES[match[1]], match[2], plain.partition(".")[2]
    elif match := _SIDE_LAST.fullmatch(bare):
        side, part, as_sent = match[2], match[1], match[1]
    else:
        return None
    return _PARTS[side].get(part) or f"{side}_{as_sent}"
