"""LangSmith's OpenTelemetry exporter, only to the sink."""

import os

os.environ |= {"LANGSMITH_TRACING": "true", "LANGSMITH_OTEL_ENABLED": "true", "LANGSMITH_OTEL_ONLY": "true"}
os.environ |= {"LANGSMITH_API_KEY": "fake", "LANGSMITH_ENDPOINT": os.environ["PROVIDER_URL"]}
from _scenario import QUESTION
from _setup import otlp

provider = otlp("langsmith")
from langchain.agents import create_agent
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI


@tool
def get_population(city: str) -> int:
    """Number of inhabitants of a city."""
    return 2102650


agent = create_agent(ChatOpenAI(model="gpt-4o-mini"), [get_population], name="population-agent")
config = {"metadata": {"session_id": "chat-1"}, "tags": ["corpus"], "run_name": "rag-question"}
agent.invoke({"messages": [("user", QUESTION)]}, config)
from langchain_core.tracers.langchain import wait_for_all_tracers

wait_for_all_tracers()
