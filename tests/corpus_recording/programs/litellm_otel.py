"""LiteLLM's own OpenTelemetry callback."""

import os
import time

import litellm
from litellm.integrations.opentelemetry import OpenTelemetry, OpenTelemetryConfig
from opentelemetry import trace
from litellm_calls import main

HEADERS = f"Authorization={os.environ['SINK_AUTHORIZATION']}"
config = OpenTelemetryConfig(exporter="otlp_http", endpoint=os.environ["SINK_TRACES_URL"], headers=HEADERS)
litellm.callbacks = [OpenTelemetry(config)]
main(litellm, metadata={"session_id": "chat-1", "trace_user_id": "user-ada", "tags": ["corpus"]}, user="user-ada")
time.sleep(2)
trace.get_tracer_provider().force_flush()
