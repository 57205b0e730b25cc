"""A plain OpenTelemetry pipeline to the sink."""

import atexit

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor


def otlp(service: str, register: bool = True) -> TracerProvider:
    """A tracer provider that sends everything in one request at exit."""
    provider = TracerProvider(resource=Resource.create({"service.name": service}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(), schedule_delay_millis=60_000))
    if register:
        trace.set_tracer_provider(provider)
    atexit.register(provider.shutdown)
    return provider
