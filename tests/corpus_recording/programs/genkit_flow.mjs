// Genkit with its own spans, sent by a plain OTLP exporter.
import { openAI } from "@genkit-ai/compat-oai/openai";
import { enableTelemetry } from "genkit/tracing";
import { genkit, z } from "genkit";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { BatchSpanProcessor } from "@opentelemetry/sdk-trace-base";
import { QUESTION } from "./_setup.mjs";

const processor = new BatchSpanProcessor(new OTLPTraceExporter());
await enableTelemetry({ spanProcessors: [processor] });
const ai = genkit({ plugins: [openAI({ baseURL: process.env.OPENAI_BASE_URL })], model: openAI.model("gpt-4o-mini") });
const description = "Number of inhabitants of a city.";
const inputSchema = z.object({ city: z.string() });
const tool = ai.defineTool({ name: "get_population", description, inputSchema, outputSchema: z.number() }, async () => 2102650);
const flow = ai.defineFlow("rag-question", async (question) => (await ai.generate({ prompt: question, tools: [tool] })).text);
await flow(QUESTION);
await processor.forceFlush();
process.exit(0);
