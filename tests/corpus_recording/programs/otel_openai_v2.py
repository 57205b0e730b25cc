"""OpenTelemetry's own instrumentation of openai; the content's place comes from the environment."""

import atexit

from openai import OpenAI
from opentelemetry import _logs, trace
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.instrumentation.openai_v2 import OpenAIInstrumentor
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from _setup import otlp
from openai_calls import ask_with_tool, embed, fail, stream_joke

otlp("otel-openai")
logs = LoggerProvider()
logs.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter(), schedule_delay_millis=60_000))
_logs.set_logger_provider(logs)
atexit.register(logs.shutdown)
OpenAIInstrumentor().instrument()
client = OpenAI()
with trace.get_tracer("app").start_as_current_span("rag-question") as span:
    span.set_attribute("session.id", "chat-1")
    span.set_attribute("user.id", "user-ada")
    embed(client)
    ask_with_tool(client)
    stream_joke(client)
    fail(client)
