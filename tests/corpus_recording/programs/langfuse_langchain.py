"""Langfuse's callback handler for LangChain, with a LangGraph agent."""

from langchain.agents import create_agent
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from langfuse import get_client
from langfuse.langchain import CallbackHandler
from _scenario import QUESTION


@tool
def get_population(city: str) -> int:
    """Number of inhabitants of a city."""
    return 2102650


agent = create_agent(ChatOpenAI(model="gpt-4o-mini"), [get_population], system_prompt="Be brief.")
metadata = {"langfuse_session_id": "chat-1", "langfuse_user_id": "user-ada", "langfuse_tags": ["corpus"]}
config = {"callbacks": [CallbackHandler()], "metadata": metadata, "run_name": "rag-question"}
agent.invoke({"messages": [("user", QUESTION)]}, config)
list(ChatOpenAI(model="gpt-4o-mini", stream_usage=True).stream("Tell me a joke", {**config, "run_name": "joke"}))
get_client().flush()
