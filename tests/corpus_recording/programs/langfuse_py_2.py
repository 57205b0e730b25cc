"""Langfuse's Python SDK 2 (ingestion events): a nested trace by hand and the openai wrapper."""

from langfuse import Langfuse
from langfuse.openai import OpenAI
from openai_calls import ask_with_tool, fail, stream_joke
from _scenario import QUESTION

langfuse = Langfuse()
trace = langfuse.trace(name="rag-question", user_id="user-ada", session_id="chat-1", tags=["corpus"], input=QUESTION)
tool = trace.span(name="get_population", input={"city": "Paris"})
tool.end(output=2102650)


class Traced:
    """The client with every call told which trace it belongs to."""

    def __init__(self, client):
        self.chat = self.completions = self.embeddings = self
        self.client = client

    def create(self, **options):
        place = self.client.embeddings if "input" in options else self.client.chat.completions
        known = {} if "input" in options else {"trace_id": trace.id}
        return place.create(**options, **known)


client = Traced(OpenAI())
trace.update(output=ask_with_tool(client))
stream_joke(client)
fail(client)
trace.score(name="helpful", value=1, comment="good")
langfuse.flush()
