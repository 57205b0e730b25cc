"""Google's Agent Development Kit with its own spans."""

import asyncio

from google.adk.agents import LlmAgent
from google.adk.runners import InMemoryRunner
from google.genai import types
from _scenario import QUESTION, get_population
from _setup import otlp

otlp("adk")


async def main():
    agent = LlmAgent(name="geographer", model="gemini-2.5-flash", instruction="Be brief.", tools=[get_population])
    runner = InMemoryRunner(agent=agent, app_name="app")
    await runner.session_service.create_session(app_name="app", user_id="user-ada", session_id="chat-1")
    content = types.Content(role="user", parts=[types.Part(text=QUESTION)])
    async for _ in runner.run_async(user_id="user-ada", session_id="chat-1", new_message=content):
        pass


asyncio.run(main())
