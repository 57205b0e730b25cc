"""OpenInference's instrumentation of DSPy."""

import os

import dspy
from openinference.instrumentation import using_attributes
from openinference.instrumentation.dspy import DSPyInstrumentor
from _scenario import QUESTION
from _setup import otlp

DSPyInstrumentor().instrument(tracer_provider=otlp("dspy"))
dspy.configure(lm=dspy.LM("openai/gpt-4o-mini", api_base=os.environ["OPENAI_BASE_URL"], cache=False))
with using_attributes(session_id="chat-1", user_id="user-ada"):
    dspy.Predict("question -> answer")(question=QUESTION)
