"""OpenInference's instrumentation of LiteLLM."""

import litellm
from openinference.instrumentation import using_attributes
from openinference.instrumentation.litellm import LiteLLMInstrumentor
from _setup import otlp
from litellm_calls import main

provider = otlp("oi-litellm")
LiteLLMInstrumentor().instrument(tracer_provider=provider)
with using_attributes(session_id="chat-1", user_id="user-ada"):
    with provider.get_tracer("app").start_as_current_span("rag-question"):
        main(litellm)
