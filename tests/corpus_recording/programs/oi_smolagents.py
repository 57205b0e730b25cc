"""OpenInference's instrumentation of smolagents."""

import os

from openinference.instrumentation.smolagents import SmolagentsInstrumentor
from smolagents import OpenAIServerModel, ToolCallingAgent, tool
from _scenario import QUESTION
from _setup import otlp


@tool
def get_population(city: str) -> int:
    """Number of inhabitants of a city.

    Args:
        city: name of the city
    """
    return 2102650


SmolagentsInstrumentor().instrument(tracer_provider=otlp("smolagents"))
model = OpenAIServerModel("gpt-4o-mini", api_base=os.environ["OPENAI_BASE_URL"], api_key="sk-fake")
ToolCallingAgent([get_population], model, max_steps=3).run(QUESTION)
