"""MLflow, whose attribute values are JSON texts (conventions notes 6 and 7)."""

from __future__ import annotations

from typing import Final

from appliance.ingestion.json_text import parse_object, parse_or_keep
from appliance.ingestion.otel.draft import Draft
from appliance.ingestion.otel.metadata import take_known
from appliance.ingestion.otel.span import Span
from appliance.ingestion.token_usage import usage_from_counts

_TYPES: Final = {
    "llm": "GENERATION",
    "chat_model": "GENERATION",
    "embedding": "EMBEDDING",
    "chain": "CHAIN",
    "workflow": "CHAIN",
    "agent": "AGENT",
    "tool": "TOOL",
    "retriever": "RETRIEVER",
    "reranker": "RETRIEVER",
    "evaluator": "EVALUATOR",
    "guardrail": "GUARDRAIL",
}


class MlflowMapper:
    """Reads `mlflow.*`."""

    prefixes = frozenset({"mlflow"})

    def map_span(self, span: Span, draft: Draft) -> None:
        """Fill in what is still open."""
        take = span.attributes.pop
        # A type of the user's own (MLflow allows any) is no call, even when the span names a model.
        untyped = "SPAN" if "mlflow.spanType" in span.attributes else None
        draft.type = draft.type or take_known(span.attributes, "mlflow.spanType", _TYPES) or untyped
        draft.offer_input(take("mlflow.spanInputs", None))
        draft.offer_output(take("mlflow.spanOutputs", None))
        model = parse_or_keep(take("mlflow.llm.model", None))
        draft.model = draft.model or (str(model) if model else None)
        if counts := parse_object(take("mlflow.chat.tokenUsage", None)):
            draft.usage = draft.usage or usage_from_counts(counts)
        if costs := parse_object(take("mlflow.llm.cost", None)):
            draft.costs = draft.costs or costs
        session, user = take("mlflow.trace.session", None), take("mlflow.trace.user", None)
        draft.session_id = draft.session_id or _text(session)
        draft.user_id = draft.user_id or _text(user)


def _text(value: object) -> str | None:
    parsed = parse_or_keep(value)
    return str(parsed) if parsed else None
