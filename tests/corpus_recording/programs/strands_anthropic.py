"""Strands Agents with Anthropic's models: cached and cache-written tokens."""

from _scenario import QUESTION
from strands import Agent, tool
from strands.models.anthropic import AnthropicModel
from strands.telemetry import StrandsTelemetry

telemetry = StrandsTelemetry()
telemetry.setup_otlp_exporter()


@tool
def get_population(city: str) -> int:
    """Number of inhabitants of a city."""
    return 2102650


model = AnthropicModel(client_args={"api_key": "fake"}, model_id="claude-sonnet-4-5", max_tokens=200)
attributes = {"session.id": "chat-1", "user.id": "user-ada"}
Agent(model, tools=[get_population], name="geographer", trace_attributes=attributes, callback_handler=None)(QUESTION)
telemetry.tracer_provider.force_flush()
