"""Pydantic AI's own spans in the version and event mode named by PYDANTIC_AI_MODE (JSON)."""

import json
import os

from opentelemetry import trace
from _scenario import QUESTION
from _setup import otlp
from pydantic_ai_agent import geographer

otlp("pydantic-ai")
with trace.get_tracer("app").start_as_current_span("rag-question") as span:
    span.set_attribute("session.id", "chat-1")
    span.set_attribute("user.id", "user-ada")
    agent = geographer(**json.loads(os.environ["PYDANTIC_AI_MODE"]))
    agent.run_sync(QUESTION)
    agent.run_sync("Tell me a joke")
