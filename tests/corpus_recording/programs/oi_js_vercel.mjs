// Vercel AI SDK 6 with OpenInference's span processor over its telemetry.
import { createOpenAI } from "@ai-sdk/openai";
import { OpenInferenceSimpleSpanProcessor } from "@arizeai/openinference-vercel";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { NodeTracerProvider } from "@opentelemetry/sdk-trace-node";
import { generateText, stepCountIs, tool } from "ai";
import { z } from "zod";

const processor = new OpenInferenceSimpleSpanProcessor({ exporter: new OTLPTraceExporter() });
const provider = new NodeTracerProvider({ spanProcessors: [processor] });
provider.register();
const openai = createOpenAI({ baseURL: process.env.OPENAI_BASE_URL, apiKey: "sk-fake" });
const description = "Number of inhabitants of a city.";
const inputSchema = z.object({ city: z.string() });
await generateText({
  model: openai.chat("gpt-4o-mini"),
  prompt: "What is the population of Paris?",
  tools: { get_population: tool({ description, inputSchema, execute: async () => 2102650 }) },
  stopWhen: stepCountIs(3),
  experimental_telemetry: { isEnabled: true, functionId: "rag-question", metadata: { sessionId: "chat-1", userId: "user-ada" } },
});
await provider.forceFlush();
process.exit(0);
