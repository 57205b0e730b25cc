"""OpenInference's instrumentation of LlamaIndex."""

import asyncio

from openinference.instrumentation import using_attributes
from openinference.instrumentation.llama_index import LlamaIndexInstrumentor
from _setup import otlp
from llama_index_calls import main

LlamaIndexInstrumentor().instrument(tracer_provider=otlp("oi-llama-index"))
with using_attributes(session_id="chat-1", user_id="user-ada", tags=["corpus"]):
    asyncio.run(main())
