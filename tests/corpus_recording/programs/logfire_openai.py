"""Logfire's instrumentation of openai, with a span of its own; sends to the sink, not to Logfire."""

import logfire
from openai import OpenAI
from openai_calls import ask_with_tool, embed, fail, respond, stream_joke

logfire.configure(send_to_logfire=False, service_name="logfire-openai", console=False)
client = OpenAI()
logfire.instrument_openai(client)
with logfire.span("rag-question for {city}", city="Paris", session_id="chat-1"):
    embed(client)
    ask_with_tool(client)
    stream_joke(client)
    respond(client)
    fail(client)
logfire.force_flush()
