"""OpenLLMetry with its decorators around the openai client."""

from openai import OpenAI
from traceloop.sdk import Traceloop
from traceloop.sdk.decorators import agent, task, tool, workflow
from openai_calls import ask_with_tool, embed, fail, respond, stream_joke

Traceloop.init(app_name="traceloop-openai", disable_batch=False)
client = OpenAI()


@tool(name="get_population")
def get_population(city):
    return 2102650


@task(name="answer")
def answer(question):
    return ask_with_tool(client)


@agent(name="geographer")
def geographer(question):
    get_population("Paris")
    return answer(question)


@workflow(name="rag-question")
def main(question):
    Traceloop.set_association_properties({"session_id": "chat-1", "user_id": "user-ada", "tenant": "t1"})
    embed(client)
    geographer(question)
    stream_joke(client)
    respond(client)
    fail(client)
    return "done"


main("What is the population of Paris?")
