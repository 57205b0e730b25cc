"""OpenLLMetry around a LangGraph agent."""

from langchain.agents import create_agent
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from traceloop.sdk import Traceloop
from traceloop.sdk.instruments import Instruments
from _scenario import QUESTION

Traceloop.init(app_name="traceloop-langchain", disable_batch=False, instruments={Instruments.LANGCHAIN})


@tool
def get_population(city: str) -> int:
    """Number of inhabitants of a city."""
    return 2102650


Traceloop.set_association_properties({"session_id": "chat-1", "user_id": "user-ada"})
agent = create_agent(ChatOpenAI(model="gpt-4o-mini"), [get_population], name="population-agent")
agent.invoke({"messages": [("user", QUESTION)]})
