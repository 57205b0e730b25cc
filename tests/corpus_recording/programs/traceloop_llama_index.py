"""OpenLLMetry around LlamaIndex."""

import asyncio

from traceloop.sdk import Traceloop
from traceloop.sdk.instruments import Instruments

wanted = {Instruments.LLAMA_INDEX, Instruments.OPENAI}
Traceloop.init(app_name="traceloop-llama-index", disable_batch=False, instruments=wanted)
from llama_index_calls import main

asyncio.run(main())
