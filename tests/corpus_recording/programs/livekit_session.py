"""LiveKit Agents: one text turn of an agent session."""

import asyncio

from livekit.agents import Agent, AgentSession, function_tool
from livekit.agents.telemetry import set_tracer_provider
from livekit.plugins import openai
from _scenario import QUESTION
from _setup import otlp

set_tracer_provider(otlp("livekit"), metadata={"langfuse.session.id": "chat-1", "langfuse.user.id": "user-ada"})


class Geographer(Agent):
    def __init__(self):
        super().__init__(instructions="Be brief.")

    @function_tool
    async def get_population(self, city: str) -> int:
        """Number of inhabitants of a city."""
        return 2102650


async def main():
    async with AgentSession(llm=openai.LLM(model="gpt-4o-mini")) as session:
        await session.start(Geographer())
        await session.run(user_input=QUESTION)


asyncio.run(main())
