"""Semantic Kernel with its own spans."""

import asyncio

from semantic_kernel.agents import ChatCompletionAgent
from semantic_kernel.connectors.ai.open_ai import OpenAIChatCompletion
from semantic_kernel.functions import kernel_function
from _scenario import QUESTION
from _setup import otlp

otlp("semantic-kernel")


class Atlas:
    @kernel_function(name="get_population", description="Number of inhabitants of a city.")
    def get_population(self, city: str) -> int:
        return 2102650


service = OpenAIChatCompletion(ai_model_id="gpt-4o-mini")
agent = ChatCompletionAgent(service=service, name="geographer", instructions="Be brief.", plugins=[Atlas()])
asyncio.run(agent.get_response(QUESTION))
