"""Counts tokens where a program sent no usage, as OpenAI's tokenizers do (contract: server semantics section 5).

Exact for the texts of OpenAI's models. For Claude, whose tokenizer is not public, it is an estimate by the nearest one
that is; so is everything beyond the first part of a very long text, and all of it where the tokenizers are missing.
"""

from __future__ import annotations

import logging
from functools import lru_cache
from importlib.machinery import PathFinder
from importlib.util import find_spec, module_from_spec
from typing import Any, Final, Protocol

from appliance.ingestion.json_text import parse_or_keep, to_text
from appliance.model.pricing import ModelDefinition
from appliance.model.usage import Usage

log = logging.getLogger(__name__)

MAX_COUNTED_CHARS: Final = 400_000
"""Characters of a text that are counted; the rest is assumed to have as many tokens per character."""
_CHUNK_CHARS: Final = 50_000
_CHARS_PER_TOKEN: Final = 4
"""Characters per token of English text, for models without a tokenizer."""
_PACKAGE: Final = "bpe_openai"
_WIDE: Final = "o200k_base"
_NARROW: Final = "cl100k_base"
_WIDE_MODELS: Final = ("gpt-4o", "gpt-4.1", "gpt-4.5", "gpt-5", "chatgpt-4o", "o1", "o3", "o4", "gpt-oss", "codex-mini")
_NAMED_PARTS: Final = ("content", "role", "name", "tool_calls", "function_call", "toolCalls", "functionCall")
_REPLY_TOKENS: Final = 3
"""Tokens that each answer begins with."""


class Encoding(Protocol):
    """The methods that are used of a tokenizer."""

    def count(self, text: str) -> int:
        """The number of tokens of a text without special tokens."""


def count_usage(model: ModelDefinition, input: str, output: str) -> Usage:
    """Tokens of stored input and output as `input`, `output` and `total`; empty without a tokenizer or any text."""
    if model.tokenizer_id is None or not (input or output):
        return {}
    encoding = _encoding(_encoding_name(model))
    counted: Usage = {"input": _count_asked(encoding, model, input), "output": _count_text(encoding, output)}
    return {**counted, "total": sum(counted.values())}


def _encoding_name(model: ModelDefinition) -> str:
    if model.tokenizer_id == "claude":
        return _NARROW
    config = model.tokenizer_config if isinstance(model.tokenizer_config, dict) else {}
    name = str(config.get("tokenizerModel") or model.model_name).lower().removeprefix("ft:")
    return _WIDE if name.startswith(_WIDE_MODELS) else _NARROW


@lru_cache(maxsize=2)
def _encoding(name: str) -> Encoding | None:
    """The tokenizer, built for the first text in 0.05 s; None where it is not installed."""
    bindings = _bindings()
    if bindings is None:
        log.warning("There is no tokenizer for this machine: tokens that programs do not report are estimated")
        return None
    encoding: Encoding = bindings.tokenizer_for_encoding(name)
    return encoding


@lru_cache(maxsize=1)
def _bindings() -> Any:
    """The compiled module of `bpe-openai` alone; None where it is missing.

    Importing the package would read every vocabulary into dictionaries that only decoding needs, which takes half a
    second and 70 MB.
    """
    package = find_spec(_PACKAGE)
    spec = package and PathFinder.find_spec(f"{_PACKAGE}._bindings", package.submodule_search_locations)
    if spec is None or spec.loader is None:
        return None
    try:
        bindings = module_from_spec(spec)
        spec.loader.exec_module(bindings)
    except ImportError:
        return None
    return bindings


def _count_asked(encoding: Encoding | None, model: ModelDefinition, input: str) -> int:
    """A list of messages costs some tokens around each of them; anything else counts as its text."""
    config = model.tokenizer_config if isinstance(model.tokenizer_config, dict) else {}
    per_message, per_name = config.get("tokensPerMessage"), config.get("tokensPerName")
    messages = parse_or_keep(input) if input[:1] == "[" and len(input) <= MAX_COUNTED_CHARS else None
    if not isinstance(per_message, int) or not isinstance(per_name, int) or not _are_messages(messages):
        return _count_text(encoding, input)
    tokens = _REPLY_TOKENS
    for message in messages or ():
        tokens += per_message + (per_name if message.get("name") else 0)
        tokens += sum(_count_text(encoding, to_text(message[part])) for part in _NAMED_PARTS if message.get(part))
    return tokens


def _are_messages(value: Any) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and all(
            isinstance(message, dict)
            and isinstance(message.get("role"), str)
            and isinstance(message.get("content"), str | None)
            for message in value
        )
    )


def _count_text(encoding: Encoding | None, text: str) -> int:
    if encoding is None:
        return -(-len(text) // _CHARS_PER_TOKEN)
    counted = min(len(text), MAX_COUNTED_CHARS)
    chunks = (text[start : min(start + _CHUNK_CHARS, counted)] for start in range(0, counted, _CHUNK_CHARS))
    tokens = sum(encoding.count(chunk) for chunk in chunks)
    return tokens if counted == len(text) else round(tokens * len(text) / counted)
