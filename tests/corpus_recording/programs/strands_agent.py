"""Strands Agents with its own spans."""

from strands import Agent, tool
from strands.models.openai import OpenAIModel
from strands.telemetry import StrandsTelemetry
from _scenario import QUESTION

telemetry = StrandsTelemetry()
telemetry.setup_otlp_exporter()


@tool
def get_population(city: str) -> int:
    """Number of inhabitants of a city."""
    return 2102650


attributes = {"session.id": "chat-1", "user.id": "user-ada", "langfuse.tags": ["corpus"]}
model = OpenAIModel(model_id="gpt-4o-mini")
agent = Agent(model, tools=[get_population], name="geographer", trace_attributes=attributes, callback_handler=None)
agent(QUESTION)
telemetry.tracer_provider.force_flush()
