"""Langfuse's drop-in replacement of the openai client."""

from langfuse import get_client, propagate_attributes
from langfuse.openai import OpenAI
from openai_calls import ask_with_tool, embed, fail, respond, stream_joke

client = OpenAI()
langfuse = get_client()
with langfuse.start_as_current_observation(name="rag-question", as_type="chain", input="What is the population?"):
    with propagate_attributes(user_id="user-ada", session_id="chat-1", tags=["corpus"]):
        embed(client)
        ask_with_tool(client)
        stream_joke(client)
        respond(client)
        fail(client)
langfuse.flush()
