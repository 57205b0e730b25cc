"""A program that knows nothing of Langfuse: the stock OpenTelemetry exporter, set up by its own variables only."""

import sys

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

protocol, name = sys.argv[1], sys.argv[2]
if protocol == "grpc":
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
else:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

provider = TracerProvider(resource=Resource.create({"service.name": "plain"}))
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
tracer = provider.get_tracer("shop")
with tracer.start_as_current_span(name) as root:
    root.set_attribute("gen_ai.operation.name", "chat")
    root.set_attribute("gen_ai.request.model", "gpt-4o-mini")
    with tracer.start_as_current_span("step"):
        pass
assert provider.force_flush()
provider.shutdown()
print(format(root.get_span_context().trace_id, "032x"))
