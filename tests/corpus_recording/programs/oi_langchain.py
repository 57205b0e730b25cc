"""OpenInference's instrumentation of LangChain, with a LangGraph agent and a retriever."""

from langchain.agents import create_agent
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from openinference.instrumentation import using_attributes
from openinference.instrumentation.langchain import LangChainInstrumentor
from _scenario import QUESTION
from _setup import otlp


class Fixed(BaseRetriever):
    def _get_relevant_documents(self, query, *, run_manager=None):
        return [Document("Paris is the capital of France.", metadata={"source": "atlas"})]


@tool
def get_population(city: str) -> int:
    """Number of inhabitants of a city."""
    return 2102650


LangChainInstrumentor().instrument(tracer_provider=otlp("oi-langchain"))
with using_attributes(session_id="chat-1", user_id="user-ada", tags=["corpus"]):
    Fixed().invoke(QUESTION, {"run_name": "retrieve"})
    agent = create_agent(ChatOpenAI(model="gpt-4o-mini"), [get_population], name="population-agent")
    agent.invoke({"messages": [("user", QUESTION)]})
    list(ChatOpenAI(model="gpt-4o-mini", stream_usage=True).stream("Tell me a joke", {"run_name": "joke"}))
