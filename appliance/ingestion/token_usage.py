"""Usage as providers, libraries and conventions report it, brought to usage details that add up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from appliance.ingestion.json_text import parse_object, parse_or_literal
from appliance.ingestion.token_names import (
    BESIDE,
    CACHED,
    INPUT,
    NO_COUNT,
    OUTPUT,
    REASONING,
    REPEATED,
    TOTAL,
    UNCACHED,
    WRITTEN,
    WRITTEN_1H,
    WRITTEN_5M,
    meaning_of,
)
from appliance.model.usage import Usage, legacy_costs, take_out_parts, units_of, whole_number

_MOST_NESTED: Final = 4
_AS_SENT: Final = frozenset({"input", "output", "total", "prompt_tokens", "completion_tokens"})
"""Names of sides that usage details keep (contract: SDK contract 3)."""
_ANTHROPIC: Final = frozenset({"input_tokens", "output_tokens"})
_BEDROCK: Final = frozenset(
    {f"cache{done}Input{count}" for done in ("Read", "Write") for count in ("Tokens", "TokenCount")}
)
_APART: Final = _BEDROCK | {"cache_read_input_tokens", "cache_creation_input_tokens"}
"""Counts of the cache that Anthropic and Bedrock leave out of the input."""
_INPUT_ALONE: Final = frozenset({"input_tokens", "inputTokens", "inputTokenCount"})


def normalise_usage(sent: Mapping[str, Any]) -> Usage:
    """Usage details as stored, without the total that is added later.

    A provider's own object (OpenAI's, Anthropic's, Google's, ...) becomes `input`, `output`, `total` and their parts,
    also when it has fields that nobody knows, or details within it. From any other record the non-negative numbers are
    kept (contract: server semantics 3.2), and nothing in it is counted twice (conventions notes 12).
    """
    if _is_of_a_provider(sent):
        has_total = any(meaning_of(name) == TOTAL and whole_number(sent[name]) is not None for name in sent)
        is_bedrock = not _BEDROCK.isdisjoint(sent)
        is_apart = bool(_INPUT_ALONE & sent.keys() and _APART & sent.keys()) and (is_bedrock or not has_total)
        return usage_from_counts(sent, is_apart=is_apart or None)
    usage = {key: units for key, value in sent.items() if (units := units_of(value)) is not None}
    take_out_parts(usage)
    return usage


def legacy_usage(sent: Mapping[str, Any]) -> tuple[Usage, dict[str, float]]:
    """The old `usage` object as usage details and provided costs (contract: server semantics 3.2 and 3.5).

    Its own words are `input`, `output` and `total`, unless it names tokens as a provider does.
    """
    present = {key: value for key, value in sent.items() if value is not None}
    of_provider = {key: value for key, value in present.items() if key not in _PLAIN and key not in _NO_USAGE}
    has_sides = any(meaning_of(key) in (INPUT, OUTPUT, TOTAL) for key in of_provider)
    if not has_sides and _is_of_a_provider(of_provider):  # details of what its own words tell
        of_provider = {key: value for key, value in present.items() if key not in _NO_USAGE}
    elif not has_sides:
        plain = {key: units for key in _PLAIN if (units := units_of(present.get(key))) is not None}
        return plain, legacy_costs(sent)
    usage = usage_from_counts(of_provider) if of_provider.keys() <= _AS_SENT else normalise_usage(of_provider)
    if not any(meaning_of(key) == TOTAL for key in of_provider):
        usage.pop("total", None)
    return usage, legacy_costs(sent)


_PLAIN: Final = frozenset({"input", "output", "total"})
_NO_USAGE: Final = frozenset({"unit", "inputCost", "outputCost", "totalCost"})


def _is_of_a_provider(sent: Mapping[str, Any]) -> bool:
    """Whether a record is one that a provider or a library made, rather than one in words of Langfuse or one's own.

    The plain names of sides alone, and those of Anthropic with its flat counts, are kept as they are.
    """
    if any(isinstance(value, (Mapping, list)) and any(_flat({key: value})) for key, value in sent.items()):
        return True
    if sent.keys() <= _PLAIN:
        return False
    names = {name for name in sent if meaning_of(name)} - _PLAIN
    if any(meaning_of(name) in (INPUT, OUTPUT, TOTAL) for name in names - _AS_SENT - _ANTHROPIC):
        return True
    if names & {"prompt_tokens", "completion_tokens"}:
        return not names <= _AS_SENT
    return bool(names & _ANTHROPIC) and not names <= _ANTHROPIC | _APART


def usage_from_counts(sent: Mapping[str, Any], *, is_apart: bool | None = None) -> Usage:
    """Usage details from counts by their bare names, such as `input_tokens` or `completion_details.reasoning`.

    The counts of all keys that name input add up to what was billed as input, and likewise for output; `total` is
    always set with them (contract: server semantics 4.4, conventions notes 4). `is_apart` says that the input leaves
    out what was read from or written to the cache; where that is not known, cached tokens are taken out of the input,
    unless the total or their size shows that they were never counted in it.
    """
    counts: Usage = {}
    others: Usage = {}
    for name, units in _flat(sent):
        meaning = meaning_of(name)
        if meaning is None or (units == 0 and name in _KEPT_WHILE_ZERO):
            others[name.removeprefix("details.")] = units
        elif meaning != NO_COUNT:
            counts[meaning] = max(units, counts.get(meaning, 0))
    input_units, output_units, total = (counts.pop(name, None) for name in (INPUT, OUTPUT, TOTAL))
    apart = {name.removeprefix(BESIDE): counts.pop(name) for name in list(counts) if name.startswith(BESIDE)}
    repeated = next((others[name] for name in REPEATED if name in others), None)
    if (
        repeated
        and input_units is not None
        and output_units is not None
        and total == input_units + output_units + repeated
    ):
        apart.setdefault(REASONING, repeated)
    if REASONING in apart or REASONING in counts:
        others = {name: units for name, units in others.items() if name not in REPEATED}
    if REASONING in apart:
        counts.pop(REASONING, None)
    tool_use = {name: units for name, units in apart.items() if name != REASONING}
    usage = _input(counts, input_units, output_units, total, is_apart) | tool_use
    usage |= _output(
        counts,
        output_units,
        apart.get(REASONING),
        None if total is None or input_units is None else total - input_units,
    )
    sides = sum(usage.values())
    if total and is_apart and total < sides:  # some add up what the provider told, without the cache
        total = sides
    if total or usage:
        usage["total"] = total or sides
    return others | usage


_KEPT_WHILE_ZERO: Final = ("cache_write.input_tokens", "cache_write_input_tokens")
"""Names of cache writes that stand for themselves while they count nothing."""


def take_counts(attributes: dict[str, Any], prefix: str) -> dict[str, Any]:
    """What `usage_from_counts` understands of the attributes with a prefix, by the rest of their names; taken out.

    All of them may also stand in one object by the prefix alone.
    """
    counts: dict[str, Any] = {}
    for key in [key for key in attributes if key.startswith(prefix)]:
        name, value = key[len(prefix) :], attributes[key]
        is_single = whole_number(value) is not None
        if meaning_of(name) != NO_COUNT if is_single else _has_counts({name: value}):
            counts[name] = attributes.pop(key)
    whole = prefix.removesuffix(".")
    if (record := attributes.get(whole)) is not None and _has_counts(
        parsed := parse_object(parse_or_literal(record)) or {}
    ):
        counts = parsed | counts
        del attributes[whole]
    return counts


def _has_counts(sent: Mapping[str, Any]) -> bool:
    return any(meaning_of(name) != NO_COUNT for name, _ in _flat(sent))


def _lifetimes(counts: Usage, written: float | None) -> Usage:
    """What was written to the cache, by how long it stays as far as that is told; `written` is all of it, if known.

    Takes what it reads out of the counts, which are by their meanings.
    """
    by_lifetime = {key: units for key in (WRITTEN_5M, WRITTEN_1H) if (units := counts.pop(key, 0))}
    rest = max((written or 0) - sum(by_lifetime.values()), 0)
    return {WRITTEN: rest, **by_lifetime} if rest or (written is not None and not by_lifetime) else by_lifetime


def raw_details(raw: Any) -> dict[str, int]:
    """The parts of input and output that the provider's own usage object (or its JSON text) tells of."""
    usage = parse_object(parse_or_literal(raw)) or {}
    input_details = (
        usage.get("input_tokens_details") or usage.get("prompt_tokens_details") or usage.get("input_token_details")
    )
    output_details = usage.get("output_tokens_details") or usage.get("completion_tokens_details")
    output_details = output_details or usage.get("output_token_details")
    parts = {"cache_read_tokens": usage.get("cache_read_input_tokens")}
    parts["cache_write_tokens"] = usage.get("cache_creation_input_tokens")
    if isinstance(kept := usage.get("cache_creation"), Mapping):
        parts |= {key: kept.get(key) for key in ("ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens")}
    if isinstance(input_details, Mapping):
        parts["cache_read_tokens"] = input_details.get("cached_tokens", input_details.get("cache_read"))
        parts["cache_write_tokens"] = input_details.get("cache_write_tokens", input_details.get("cache_creation"))
    if isinstance(output_details, Mapping):
        parts["output_reasoning_tokens"] = output_details.get("reasoning_tokens", output_details.get("reasoning"))
    return {key: units for key, value in parts.items() if (units := whole_number(value))}


def _flat(sent: Mapping[str, Any], prefix: str = "", depth: int = 0) -> Iterator[tuple[str, int]]:
    """All whole numbers within, by dotted names, also of objects that were sent as text.

    Cohere tells what it billed beside what it counted; Google lists the counts of each kind of content.
    """
    billed = sent.get("billed_units", sent.get("billedUnits"))
    for key, value in (billed if isinstance(billed, Mapping) else sent).items():
        name = f"{prefix}{key}"
        if (units := whole_number(value)) is not None:
            yield name, units
            continue
        parsed = parse_or_literal(value) if isinstance(value, str) else value
        if isinstance(parsed, list):
            parsed = {str(each.get("modality")).lower(): _count(each) for each in parsed if isinstance(each, Mapping)}
        if isinstance(parsed, Mapping) and depth < _MOST_NESTED:
            yield from _flat(parsed, "" if key in _WRAPPERS else f"{name}.", depth + 1)


_WRAPPERS: Final = frozenset({"usage", "tokens", "token_usage", "tokenUsage", "usage_metadata", "usageMetadata"})


def _count(item: Mapping[str, Any]) -> Any:
    return item.get("tokenCount", item.get("token_count"))


def _input(
    counts: Usage, input_units: float | None, output_units: float | None, total: float | None, is_apart: bool | None
) -> Usage:
    """The input and its parts, which add up; takes what it reads out of the counts."""
    read, written, uncached = (counts.pop(name, None) for name in (CACHED, WRITTEN, UNCACHED))
    lifetimes = _lifetimes(counts, written)
    cached = (read or 0) + sum(lifetimes.values())
    if is_apart is None and input_units is not None:
        is_apart = cached > input_units or (total is not None and total == input_units + (output_units or 0) + cached)
    rest = uncached
    if rest is None and input_units is not None:
        rest = input_units if is_apart else max(input_units - cached, 0)
    usage: Usage = {} if rest is None else {"input": rest}
    usage |= {CACHED: read} if read is not None else {}
    return usage | lifetimes | _fitting(counts, usage, INPUT)


def _output(counts: Usage, output_units: float | None, beside: float | None, billed: float | None) -> Usage:
    """The output and its parts, which add up; takes what it reads out of the counts.

    Reasoning is taken out of the output, unless `billed` (the total without the input) or its size shows that it was
    never counted in it; `beside` is reasoning of which that is known.
    """
    within = counts.pop(REASONING, None)
    usage: Usage = {}
    if beside is not None or within is not None:
        usage[REASONING] = beside or within or 0
    if output_units is not None:
        is_beside = beside or (within or 0) > output_units or billed == output_units + (within or 0)
        usage[OUTPUT] = output_units if is_beside else output_units - (within or 0)
    return usage | _fitting(counts, usage, OUTPUT)


def _fitting(counts: Usage, usage: Usage, side: str) -> Usage:
    """The other parts of a side, taken out of what is left of it; takes them out of the counts.

    Text and pictures that come from the cache are told once more by their kind: what does not fit is not counted, text
    least of all, which is what the rest consists of.
    """
    names = [name for name in counts if name.startswith(f"{side}_")]
    fitting: Usage = {}
    for name in sorted(names, key=lambda name: "text" in name):
        units, left = counts.pop(name), usage.get(side)
        if left is not None:
            if units > left and "text" in name:
                continue
            units = min(units, left)
            usage[side] = left - units
        fitting[name] = units
    return fitting | ({side: usage[side]} if side in usage else {})
