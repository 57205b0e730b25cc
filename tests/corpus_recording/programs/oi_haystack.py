"""OpenInference's instrumentation of Haystack."""

from haystack import Pipeline
from haystack.components.builders import ChatPromptBuilder
from haystack.components.generators.chat import OpenAIChatGenerator
from haystack.dataclasses import ChatMessage
from openinference.instrumentation import using_attributes
from openinference.instrumentation.haystack import HaystackInstrumentor
from _setup import otlp

HaystackInstrumentor().instrument(tracer_provider=otlp("haystack"))
pipe = Pipeline()
template = [ChatMessage.from_user("What is the population of {{city}}?")]
pipe.add_component("prompt", ChatPromptBuilder(template, required_variables=["city"]))
pipe.add_component("llm", OpenAIChatGenerator(model="gpt-4o-mini"))
pipe.connect("prompt.prompt", "llm.messages")
with using_attributes(session_id="chat-1", user_id="user-ada"):
    pipe.run({"prompt": {"city": "Paris"}})
