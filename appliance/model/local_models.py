"""Models without a price: local ones, and the free variants of gateways."""

from __future__ import annotations

import re
from typing import Final

LOCAL_RUNNERS: Final = frozenset(
    (
        *("ollama", "ollama_chat", "lm_studio", "lm-studio", "lmstudio", "llamafile", "llamacpp", "llama_cpp"),
        *("llama.cpp", "llama-cpp", "vllm", "hosted_vllm", "sglang", "localai", "xinference", "gpt4all", "mlx"),
        *("docker_model_runner", "lemonade", "tgi", "local"),
    )
)
"""Runners of local models: names of the provider, or prefixes of the model's name before a slash."""

_TAGS: Final = (
    r"latest",
    r"(?:\d+x)?e?\d+(?:\.\d+)?[bm](?:[-_.].*)?",  # a size: 7b, 8x7b, e4b, 270m, 70b-instruct-q4_K_M
    r"i?q\d\w*|bf16|fp?16|fp?32",
    r"instruct|text|chat|code|mini|medium",
    r"v\d+\.\d+(?:-.*)?",
)
"""Ollama's tags; what gateways write after a colon (`:online`, `:nitro`) and Bedrock's versions are none."""
FREE_PATTERN: Final = r"(?i):free$"
LOCAL_PATTERN: Final = (
    r"(?i)^(?:(?:[\w.@:-]+/)*(?:" + "|".join(re.escape(name) for name in sorted(LOCAL_RUNNERS)) + r")/.+"
    r"|[^:]+:(?:" + "|".join(_TAGS) + r")"
    r"|.*[-_.]gguf(?::.*)?)$"
)


def local_runner(provider: str | None) -> str | None:
    """The runner that a provider's name (`Ollama`, `lmstudio.chat`) means; None for those that are paid."""
    if not provider:
        return None
    name = provider.lower()
    return next((each for each in (name, name.partition(".")[0]) if each in LOCAL_RUNNERS), None)
