"""Microsoft's Agent Framework with its own spans."""

import asyncio

from agent_framework import Agent
from agent_framework.observability import enable_instrumentation
from agent_framework.openai import OpenAIChatClient
from _scenario import QUESTION, get_population
from _setup import otlp

otlp("agent-framework")
enable_instrumentation(enable_sensitive_data=True)
client = OpenAIChatClient(model="gpt-4o-mini")
agent = Agent(client=client, name="geographer", instructions="Be brief.", tools=[get_population])
asyncio.run(agent.run(QUESTION))
