"""OpenLLMetry around the anthropic client."""

from anthropic import Anthropic
from traceloop.sdk import Traceloop
from traceloop.sdk.decorators import workflow
from anthropic_calls import ask_with_tool, stream_joke

Traceloop.init(app_name="traceloop-anthropic", disable_batch=False)


@workflow(name="rag-question")
def main(question):
    Traceloop.set_association_properties({"session_id": "chat-1", "user_id": "user-ada"})
    stream_joke(Anthropic())
    return ask_with_tool(Anthropic())


main("What is the population of Paris?")
