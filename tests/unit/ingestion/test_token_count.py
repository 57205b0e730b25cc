"""Tokens of programs that report none; the expected numbers are those of OpenAI's own tokenizers."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import msgspec
import pytest

from appliance.ingestion import token_count
from appliance.ingestion.enrich import enrich_costs
from appliance.ingestion.token_count import MAX_COUNTED_CHARS, count_usage
from appliance.model.observations import Observation
from appliance.model.price_table import built_in_models
from appliance.model.pricing import ModelDefinition, Pricing

PRICING = Pricing(built_in_models())
SENTENCE = "The quick brown fox jumps over the lazy dog."  # 10 tokens
JAPANESE = "日本語テキスト"  # 7 tokens in cl100k, 5 in o200k


def model(name: str) -> ModelDefinition:
    found = PRICING.match("p", name, 0)
    assert found is not None
    return found


def observation(**fields: Any) -> Observation:
    plain: dict[str, Any] = {"start_time": 0, "event_ts": 0, "created_at": 0, "updated_at": 0, "type": "GENERATION"}
    return Observation(project_id="p", trace_id="t", id="o", **{**plain, **fields})


def test_texts_are_counted_as_they_are() -> None:
    assert count_usage(model("gpt-4o"), SENTENCE, "Yes.") == {"input": 10, "output": 2, "total": 12}


@pytest.mark.parametrize(("name", "tokens"), [("gpt-4", 7), ("gpt-3.5-turbo", 7), ("gpt-4o", 5), ("gpt-4.1-mini", 5)])
def test_each_model_has_its_vocabulary(name: str, tokens: int) -> None:
    assert count_usage(model(name), "", JAPANESE)["output"] == tokens


def test_messages_cost_some_tokens_of_their_own() -> None:
    messages = [{"role": "system", "content": SENTENCE}, {"role": "user", "content": "Yes.", "name": "Ann"}]

    counted = count_usage(model("gpt-4o"), msgspec.json.encode(messages).decode(), "")

    assert counted["input"] == 3 + (3 + 1 + 10) + (3 + 1 + 1 + 2 + 1)


def test_claude_is_estimated_and_other_models_are_not() -> None:
    assert count_usage(model("claude-3-5-sonnet-20241022"), SENTENCE, "") == {"input": 10, "output": 0, "total": 10}
    assert count_usage(model("gemini-1.5-pro"), SENTENCE, SENTENCE) == {}


def test_very_long_texts_are_counted_in_part() -> None:
    text = "word " * (2 * MAX_COUNTED_CHARS)

    assert count_usage(model("gpt-4o"), "", text)["output"] == pytest.approx(len(text) / 5, rel=0.01)


def test_special_words_are_plain_text() -> None:
    assert count_usage(model("gpt-4o"), "<|endoftext|>", "")["input"] > 1


def test_a_machine_without_tokenizers_estimates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(token_count, "_bindings", lambda: None)
    token_count._encoding.cache_clear()
    try:
        assert count_usage(model("gpt-4o"), "x" * 401, "")["input"] == 101
    finally:
        token_count._encoding.cache_clear()


def test_counting_imports_nothing_of_the_package_but_its_compiled_part() -> None:
    program = (
        "import sys; from appliance.ingestion import token_count as t; print(t._encoding('o200k_base').count('a b'));"
        "print(sorted(name for name in sys.modules if name.startswith('bpe_openai')))"
    )

    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert said.stdout.split("\n")[:2] == ["2", "['bpe_openai._bindings']"]


def test_generations_without_usage_are_counted_and_priced() -> None:
    row = observation(model="gpt-4o", input=SENTENCE, output="Yes.")

    enrich_costs(row, PRICING, {})

    assert (row.usage_details, row.provided_usage_details) == ({"input": 10, "output": 2, "total": 12}, {})
    assert row.total_cost == pytest.approx(10 * 2.5e-6 + 2 * 10e-6)


@pytest.mark.parametrize(
    "fields",
    [
        {"level": "ERROR"},
        {"type": "AGENT"},
        {"model": "our-own"},
        {"input": "", "output": ""},
        {"source": "api", "output": ""},
    ],
)
def test_what_is_not_counted(fields: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    row = observation(**{"model": "gpt-4o", "input": SENTENCE, "output": "Yes.", **fields})

    enrich_costs(row, PRICING, {})

    assert row.usage_details == {}


def test_what_was_told_is_not_counted() -> None:
    row = observation(model="gpt-4o", input=SENTENCE, output="Yes.")

    enrich_costs(row, PRICING, {"input": 1})

    assert (row.usage_details, row.provided_usage_details) == ({"input": 1, "total": 1}, {"input": 1})


def test_the_vector_of_an_embedding_is_not_counted() -> None:
    row = observation(type="EMBEDDING", model="text-embedding-3-small", input=SENTENCE, output="[0.1, 0.2]")

    enrich_costs(row, PRICING, {})

    assert row.usage_details == {"input": 10, "output": 0, "total": 10}


def test_a_span_without_an_answer_is_no_whole_call() -> None:
    spans = [observation(model="gpt-4o", input=SENTENCE, end_time=9, source=source) for source in ("otel", "api")]
    for row in spans:
        enrich_costs(row, PRICING, {})

    assert [row.usage_details for row in spans] == [{}, {"input": 10, "output": 0, "total": 10}]
