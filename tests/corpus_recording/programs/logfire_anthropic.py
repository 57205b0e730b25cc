"""Logfire's instrumentation of anthropic; sends to the sink, not to Logfire."""

import logfire
from anthropic import Anthropic
from anthropic_calls import ask_with_tool, stream_joke

logfire.configure(send_to_logfire=False, service_name="logfire-anthropic", console=False)
client = Anthropic()
logfire.instrument_anthropic(client)
with logfire.span("rag-question"):
    ask_with_tool(client)
    stream_joke(client)
logfire.force_flush()
