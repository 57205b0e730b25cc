"""OpenInference's instrumentation of Agno."""

from agno.agent import Agent
from agno.models.openai import OpenAIChat
from openinference.instrumentation.agno import AgnoInstrumentor
from _scenario import QUESTION, get_population
from _setup import otlp

AgnoInstrumentor().instrument(tracer_provider=otlp("agno"))
agent = Agent(name="population-agent", model=OpenAIChat(id="gpt-4o-mini"), tools=[get_population])
agent.run(QUESTION, session_id="chat-1", user_id="user-ada")
