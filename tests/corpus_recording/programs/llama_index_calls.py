"""The calls that the programs around LlamaIndex make."""

from llama_index.core import Document, Settings, VectorStoreIndex
from llama_index.core.agent.workflow import FunctionAgent
from llama_index.embeddings.openai import OpenAIEmbedding
from llama_index.llms.openai import OpenAI
from _scenario import QUESTION


def get_population(city: str) -> int:
    """Number of inhabitants of a city."""
    return 2102650


async def main() -> None:
    """A query over one document, then an agent with a tool."""
    Settings.llm = OpenAI(model="gpt-4o-mini")
    Settings.embed_model = OpenAIEmbedding(model_name="text-embedding-3-small")
    index = VectorStoreIndex.from_documents([Document(text="Paris is the capital of France.")])
    index.as_query_engine().query(QUESTION)
    agent = FunctionAgent(tools=[get_population], llm=Settings.llm, streaming=False)
    await agent.run(QUESTION)
