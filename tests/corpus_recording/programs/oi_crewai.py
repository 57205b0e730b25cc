"""OpenInference's instrumentation of CrewAI."""

from crewai import LLM, Agent, Crew, Task
from openinference.instrumentation import using_attributes
from openinference.instrumentation.crewai import CrewAIInstrumentor
from openinference.instrumentation.openai import OpenAIInstrumentor
from _scenario import QUESTION
from _setup import otlp

provider = otlp("crewai")
CrewAIInstrumentor().instrument(tracer_provider=provider)
OpenAIInstrumentor().instrument(tracer_provider=provider)
agent = Agent(role="geographer", goal="answer", backstory="knows cities", llm=LLM(model="openai/gpt-4o-mini"))
task = Task(description=QUESTION, expected_output="a sentence", agent=agent)
with using_attributes(session_id="chat-1", user_id="user-ada"):
    Crew(agents=[agent], tasks=[task], name="city-crew").kickoff()
