"""MLflow's tracing, exported by OTLP."""

import os
import time

os.environ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"] = os.environ["SINK_TRACES_URL"]
import mlflow
from openai import OpenAI
from openai_calls import ask_with_tool, embed, fail, stream_joke

mlflow.set_tracking_uri("sqlite:////tmp/langfuse-local-recording-mlflow.db")
mlflow.openai.autolog()
client = OpenAI()


@mlflow.trace(name="rag-question", span_type="CHAIN")
def main(question):
    session = {"mlflow.trace.session": "chat-1", "mlflow.trace.user": "user-ada"}
    mlflow.update_current_trace(metadata=session)
    embed(client)
    ask_with_tool(client)
    stream_joke(client)
    fail(client)
    return "done"


main("What is the population of Paris?")
mlflow.flush_trace_async_logging()
time.sleep(1)
