"""OpenInference's instrumentation of AutoGen's agent chat."""

import asyncio

from autogen_agentchat.agents import AssistantAgent
from autogen_ext.models.openai import OpenAIChatCompletionClient
from openinference.instrumentation import using_attributes
from openinference.instrumentation.autogen_agentchat import AutogenAgentChatInstrumentor
from _scenario import QUESTION, get_population
from _setup import otlp

provider = otlp("autogen")
AutogenAgentChatInstrumentor().instrument(tracer_provider=provider)
model = OpenAIChatCompletionClient(model="gpt-4o-mini")
agent = AssistantAgent("geographer", model, tools=[get_population], reflect_on_tool_use=True)
with using_attributes(session_id="chat-1", user_id="user-ada"):
    asyncio.run(agent.run(task=QUESTION))
