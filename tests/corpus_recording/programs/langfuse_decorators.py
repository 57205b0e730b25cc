"""Langfuse's Python SDK 3 to 5: decorated functions, a manual generation and attributes of the trace."""

import langfuse
from langfuse import get_client, observe
from _scenario import QUESTION


@observe(as_type="tool")
def get_population(city):
    return 2102650


@observe(as_type="generation", name="manual-call")
def call_model(question):
    get_client().update_current_generation(
        model="gpt-4o-mini",
        model_parameters={"temperature": 0.2},
        usage_details={
            "input": 100,
            "input_cached_tokens": 23,
            "output": 38,
            "output_reasoning_tokens": 7,
            "total": 168,
        },
        output={"role": "assistant", "content": "Paris has 2102650 inhabitants."},
    )
    return "Paris has 2102650 inhabitants."


@observe(name="rag-question")
def main(question):
    get_population("Paris")
    return call_model(question)


if hasattr(langfuse, "propagate_attributes"):
    with langfuse.propagate_attributes(user_id="user-ada", session_id="chat-1", tags=["corpus", "py"]):
        main(QUESTION)
else:
    with get_client().start_as_current_span(name="rag-question", input=QUESTION) as span:
        span.update_trace(user_id="user-ada", session_id="chat-1", tags=["corpus", "py"])
        get_population("Paris")
        span.update(output=call_model(QUESTION))
get_client().flush()
