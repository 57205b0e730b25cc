"""Logfire's instrumentation of the OpenAI Agents SDK; sends to the sink, not to Logfire."""

import logfire
from _scenario import QUESTION, get_population
from agents import Agent, Runner, function_tool, trace

logfire.configure(send_to_logfire=False, service_name="logfire-agents", console=False)
logfire.instrument_openai_agents()
agent = Agent(name="geographer", instructions="Be brief.", model="gpt-4o-mini", tools=[function_tool(get_population)])
with trace("rag-question", group_id="chat-1"):
    Runner.run_sync(agent, QUESTION)
logfire.force_flush()
