"""OpenInference's instrumentation of the OpenAI Agents SDK."""

from agents import Agent, Runner, function_tool, set_trace_processors, trace
from openinference.instrumentation import using_attributes
from openinference.instrumentation.openai_agents import OpenAIAgentsInstrumentor
from _scenario import QUESTION, get_population
from _setup import otlp

set_trace_processors([])
OpenAIAgentsInstrumentor().instrument(tracer_provider=otlp("openai-agents"))
agent = Agent(name="geographer", instructions="Be brief.", model="gpt-4o-mini", tools=[function_tool(get_population)])
with using_attributes(session_id="chat-1", user_id="user-ada"):
    with trace("rag-question", group_id="chat-1"):
        Runner.run_sync(agent, QUESTION)
