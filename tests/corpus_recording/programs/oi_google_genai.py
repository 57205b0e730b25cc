"""OpenInference's instrumentation of google-genai, with automatic tool calls and streaming."""

import os

from google import genai
from google.genai import types
from openinference.instrumentation import using_attributes
from openinference.instrumentation.google_genai import GoogleGenAIInstrumentor
from _scenario import QUESTION, get_population
from _setup import otlp

provider = otlp("google-genai")
GoogleGenAIInstrumentor().instrument(tracer_provider=provider)
client = genai.Client(api_key="fake", http_options=types.HttpOptions(base_url=os.environ["PROVIDER_URL"]))
with using_attributes(session_id="chat-1", user_id="user-ada"):
    with provider.get_tracer("app").start_as_current_span("rag-question"):
        config = types.GenerateContentConfig(tools=[get_population], system_instruction="Be brief.")
        client.models.generate_content(model="gemini-2.5-flash", contents=QUESTION, config=config)
        list(client.models.generate_content_stream(model="gemini-2.5-flash", contents="Tell me a joke"))
