"""The spans that the anthropic client makes by itself once a tracer provider is registered."""

from anthropic import Anthropic
from opentelemetry import trace
from _setup import otlp
from anthropic_calls import ask_with_tool, stream_joke

otlp("anthropic-own")
with trace.get_tracer("app").start_as_current_span("rag-question") as span:
    span.set_attribute("session.id", "chat-1")
    ask_with_tool(Anthropic())
    stream_joke(Anthropic())
