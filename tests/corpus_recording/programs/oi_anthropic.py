"""OpenInference's instrumentation of anthropic."""

from anthropic import Anthropic
from openinference.instrumentation import using_attributes
from openinference.instrumentation.anthropic import AnthropicInstrumentor
from _setup import otlp
from anthropic_calls import ask_with_tool, stream_joke

provider = otlp("oi-anthropic", register=False)
AnthropicInstrumentor().instrument(tracer_provider=provider)
with using_attributes(session_id="chat-1", user_id="user-ada"):
    with provider.get_tracer("app").start_as_current_span("rag-question"):
        ask_with_tool(Anthropic())
        stream_joke(Anthropic())
