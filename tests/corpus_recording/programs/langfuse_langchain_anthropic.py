"""Langfuse's callback handler for LangChain with Anthropic's models: cached and cache-written tokens."""

from _scenario import QUESTION
from langchain.agents import create_agent
from langchain_anthropic import ChatAnthropic
from langchain_core.tools import tool
from langfuse import get_client
from langfuse.langchain import CallbackHandler


@tool
def get_population(city: str) -> int:
    """Number of inhabitants of a city."""
    return 2102650


agent = create_agent(ChatAnthropic(model="claude-sonnet-4-5"), [get_population], system_prompt="Be brief.")
metadata = {"langfuse_session_id": "chat-1", "langfuse_user_id": "user-ada", "langfuse_tags": ["corpus"]}
config = {"callbacks": [CallbackHandler()], "metadata": metadata, "run_name": "rag-question"}
agent.invoke({"messages": [("user", QUESTION)]}, config)
get_client().flush()
