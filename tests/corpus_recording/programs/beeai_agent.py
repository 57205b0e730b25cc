"""OpenInference's instrumentation of the BeeAI framework."""

import asyncio

from openinference.instrumentation.beeai import BeeAIInstrumentor
from _setup import otlp

BeeAIInstrumentor().instrument(tracer_provider=otlp("beeai"))
from beeai_framework.backend import ChatModel, UserMessage


async def main():
    model = ChatModel.from_name("openai:gpt-4o-mini")
    await model.run([UserMessage("Tell me a joke")])


asyncio.run(main())
