"""The agent of the programs around Pydantic AI."""

import os

from pydantic_ai import Agent
from _scenario import get_population


def geographer(**instrumentation) -> Agent:
    """An agent with the one tool, instrumented with the given settings."""
    if "PYDANTIC_AI_MODEL" not in os.environ:
        from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.agent import InstrumentationSettings

    settings = InstrumentationSettings(**instrumentation)
    options = {"name": "geographer", "instructions": "Be brief.", "tools": [get_population]}
    model = os.environ.get("PYDANTIC_AI_MODEL") or OpenAIChatModel("gpt-4o-mini")
    try:
        return Agent(model, instrument=settings, **options)
    except Exception:
        from pydantic_ai.capabilities import Instrumentation

        return Agent(model, capabilities=[Instrumentation(settings=settings)], **options)
