// Plain OpenTelemetry spans with GenAI attributes as gzipped OTLP/JSON, with every kind of value, events and links.
import { context, SpanStatusCode, trace } from "@opentelemetry/api";
import { CompressionAlgorithm } from "@opentelemetry/otlp-exporter-base";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { BatchSpanProcessor } from "@opentelemetry/sdk-trace-base";
import { NodeTracerProvider } from "@opentelemetry/sdk-trace-node";

const exporter = new OTLPTraceExporter({ compression: CompressionAlgorithm.GZIP });
const provider = new NodeTracerProvider({ spanProcessors: [new BatchSpanProcessor(exporter)] });
provider.register();
const tracer = trace.getTracer("otlp-json", "1.0");
const root = tracer.startSpan("rag-question", {
  attributes: { "session.id": "chat-1", "user.id": "user-ada", "app.ratio": 0.5, "app.on": true, "app.list": [1, 2, 3], "app.big": 9007199254740991 },
});
const inner = trace.setSpan(context.active(), root);
const attributes = {
  "gen_ai.operation.name": "chat",
  "gen_ai.request.model": "gpt-4o-mini",
  "gen_ai.usage.input_tokens": 123,
  "gen_ai.usage.output_tokens": 45,
  "gen_ai.usage.cache_read.input_tokens": 23,
  "gen_ai.input.messages": JSON.stringify([{ role: "user", parts: [{ type: "text", content: "What is the population of Paris? \u{1F5FC}" }] }]),
  "gen_ai.output.messages": JSON.stringify([{ role: "assistant", parts: [{ type: "text", content: "Paris has 2102650 inhabitants." }] }]),
};
tracer.startSpan("chat gpt-4o-mini", { attributes, links: [{ context: root.spanContext() }] }, inner).end();
const failed = tracer.startSpan("lookup", {}, inner);
failed.recordException(new Error("no such city"));
failed.setStatus({ code: SpanStatusCode.ERROR, message: "no such city" });
failed.end();
root.end();
await provider.forceFlush();
process.exit(0);
