"""OpenInference's instrumentation of mistralai."""

import os

from mistralai.client import Mistral
from openinference.instrumentation.mistralai import MistralAIInstrumentor
from _scenario import QUESTION, TOOL
from _setup import otlp

MistralAIInstrumentor().instrument(tracer_provider=otlp("mistral"))
client = Mistral(api_key="fake", server_url=os.environ["PROVIDER_URL"])
client.chat.complete(model="mistral-small-latest", messages=[{"role": "user", "content": QUESTION}], tools=[TOOL])
