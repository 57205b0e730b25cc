"""OpenInference's instrumentation of instructor, with the one of openai below it."""

import instructor
from openai import OpenAI
from openinference.instrumentation.instructor import InstructorInstrumentor
from openinference.instrumentation.openai import OpenAIInstrumentor
from pydantic import BaseModel
from _scenario import QUESTION
from _setup import otlp

provider = otlp("instructor")
InstructorInstrumentor().instrument(tracer_provider=provider)
OpenAIInstrumentor().instrument(tracer_provider=provider)


class City(BaseModel):
    city: str
    population: int


client = instructor.from_openai(OpenAI())
client.chat.completions.create(
    model="gpt-4o-mini", response_model=City, messages=[{"role": "user", "content": QUESTION}]
)
