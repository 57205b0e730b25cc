"""OpenInference's instrumentation of openai."""

from openai import OpenAI
from openinference.instrumentation import using_attributes
from openinference.instrumentation.openai import OpenAIInstrumentor
from _setup import otlp
from openai_calls import ask_with_tool, embed, fail, respond, stream_joke

provider = otlp("oi-openai")
OpenAIInstrumentor().instrument(tracer_provider=provider)
client = OpenAI()
with using_attributes(session_id="chat-1", user_id="user-ada", tags=["corpus", "oi"], metadata={"tenant": "t1"}):
    with provider.get_tracer("app").start_as_current_span("rag-question") as span:
        span.set_attribute("openinference.span.kind", "CHAIN")
        span.set_attribute("input.value", "What is the population of Paris?")
        embed(client)
        span.set_attribute("output.value", ask_with_tool(client))
        stream_joke(client)
        respond(client)
        fail(client)
